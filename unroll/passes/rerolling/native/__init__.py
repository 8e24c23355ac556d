"""Which of ONNX's recurrent operators a recurrence is: the formulas of its pattern, the cell they are taken for, and the proof.

What a step computes is multiplied out and must be the operator's equations, term by term. Nothing is written here.
"""

from unroll.passes.rerolling.native.directions import Direction, Reading, direction_of
from unroll.passes.rerolling.native.gates import Cell, Gate, Sum
from unroll.passes.rerolling.native.normal_form import UnmatchedError

__all__ = ["Cell", "Direction", "Gate", "Reading", "Sum", "UnmatchedError", "direction_of"]
