"""Finding what repeats, from structure alone: every recurrence of a graph, its steps and who reads what they make.

A guess proposes the pattern of one step, and every step is compared with it in full before it counts.
"""

from unroll.passes.rerolling.finding.chains import Chain, alike, free_pieces, product_chains
from unroll.passes.rerolling.finding.guessing import guess
from unroll.passes.rerolling.finding.one_step import between, counterparts
from unroll.passes.rerolling.finding.pattern import Inner, Input, Shared, Source, State, replayed
from unroll.passes.rerolling.finding.recurrences import Column, Recurrence, Uses, common_scope, uses_of
from unroll.passes.rerolling.finding.search import FEWEST_STEPS, find, without_products
from unroll.passes.rerolling.finding.view import SearchGivenUpError, View

__all__ = [
    "FEWEST_STEPS",
    "Chain",
    "Column",
    "Inner",
    "Input",
    "Recurrence",
    "SearchGivenUpError",
    "Shared",
    "Source",
    "State",
    "Uses",
    "View",
    "alike",
    "between",
    "common_scope",
    "counterparts",
    "find",
    "free_pieces",
    "guess",
    "product_chains",
    "replayed",
    "uses_of",
    "without_products",
]
