"""What `unroll.passes.join_cells` is made of.

`lanes` finds which cells run side by side, `packs` which of their nodes are then one node, `cuts` how the columns of such a
node's result lie, and `writing` puts it down.
"""
