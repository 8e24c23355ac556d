"""What `unroll.passes.join_cells` is made of.

`lanes` finds the cells that run side by side, `addends` what is added to their products, `packs` which of their nodes
become one node, `column_order` how the columns of such a node's result lie; `joint_kernels` and `joint_nodes` write the
weights and the nodes.
"""
