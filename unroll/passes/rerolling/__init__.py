"""Re-rolling: recognising from structure alone that a graph repeats one step, and writing it as one operator again."""

from unroll.passes.rerolling.planner import reroll
from unroll.passes.rerolling.report import Found, Rerolled

__all__ = ["Found", "Rerolled", "reroll"]
