"""How recurrences are written: the plan of each, what its steps read as stacks over time, and the new graph around them.

A plan knows how it is written; `Emission` writes plans and all other nodes in an order in which each finds what it reads.
"""

from unroll.passes.rerolling.writing.emission import Emission, Plan, ordered
from unroll.passes.rerolling.writing.native_plan import NativePlan
from unroll.passes.rerolling.writing.scan_plan import scan_plan_of

__all__ = ["Emission", "NativePlan", "Plan", "ordered", "scan_plan_of"]
