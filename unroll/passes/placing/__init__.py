"""What the pass `places` is made of.

`time_order` says at which timestep each step of a loop is, `gate_nodes` which node is which gate of a proven cell, and
`found_blocks` which blocks of its Parameters the gates read.
"""
