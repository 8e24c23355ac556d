"""Re-rolling: a flat graph that repeats one step is written as an LSTM, GRU, RNN or Scan again, from structure alone.

1. A graph is first looked at with equal constants as one and with the readers of every tensor at hand (`finding.view`).
2. Nodes that read the same weight, each depending on the one before, are linked to chains (`finding.chains`).
3. What lies between two nodes of a chain is taken for one step (`finding.one_step`), and a pattern of it is guessed: its
   nodes, its states, its inputs, and the weights that all steps share (`finding.guessing`, `finding.widening`).
4. Every step of the graph is then compared with the pattern in full, and the longest unbroken run is kept
   (`finding.matching`); a first step that was simplified for states of zeros is held against the simplified pattern
   (`finding.first_step`).
5. The runs that hand on the least and explain the most become the recurrences (`finding.search`), and it is noted who
   outside reads what they make (`finding.recurrences`).
6. What a pattern computes is read as a sum of products of activations, states, inputs and weights, with one such form for
   every way of writing it (`native.pattern_reading`, `native.normal_form`).
7. Which term is which gate of an RNN, LSTM or GRU is a guess again (`native.recognising`), and ONNX's equations, multiplied
   out, must be the very same polynomial (`native.onnx_formulas`).
8. A recurrence becomes that operator where it gives all that is read of the recurrence (`native.directions`), and otherwise
   a Scan, whose body is the pattern (`writing.native_plan`, `writing.scan_plan`).
9. The new graph is written with each operator in the place of its steps (`writing.emission`), which reads what the steps
   read as stacks over time (`writing.stacking`).
10. `planner` leads through all this (it has `reroll`) and has both graphs run to prove that they compute the same, `report`
    says what became of each recurrence, and `reasons` says at which node those that were left differ.

Imports run downwards only: finding, native, writing, planner. `native_scans` stands on top: it unrolls a loop that is
written as Scan already over a few steps, and re-rolls those.
"""
