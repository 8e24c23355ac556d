"""What the pass `places` is made of.

`whole_runs` tells loops from short runs that happen to repeat, `branches` finds loops whose every step is an If, `time_order`
says at which timestep each step of a loop is, `kept_back` what a cell makes before a mask, `gate_nodes` which node is which
gate of a proven cell, `found_blocks` which blocks of its Parameters the gates read, and `beside_steps` which nodes belong to a
step though the search does not need them.
"""
