"""Proof by structure: what a graph computes, as forms that do not depend on how it is written.

`atoms` keeps what is not taken apart, `values` computes with sums of products of atoms and with tensors joined of several,
`moving` cuts, turns and reshapes them, `operators` says what each operator makes of them, and `comparing` holds two graphs
against each other.
"""
