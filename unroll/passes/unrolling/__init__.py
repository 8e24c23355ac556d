"""Unrolling: loops are written as the nodes of their steps, the inverse of re-rolling.

1. Sizes that are given by name are put into the inputs (`binding`), and every node is made again by its own shape rule, or
   computed where constants and sizes decide it (`flattening`).
2. An RNN, GRU or LSTM is written by the formula of its cell (`natives`, `formulas`), with its weights as kernels that have
   block tables (`gate_kernels`); a Scan by its body (`scans`), a Loop too, run by run (`loops`), and an If by the branch that
   its condition chooses (`branches`). Each node is told its step, cell and gate (`step_places`).
3. `planner` leads through this, `step_proof` has both graphs run, and `report` says what became of each loop.
"""
