"""Searching a graph for its recurrences: chains, a guess for each, and the longest run of steps that fit the guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unroll.passes.rerolling.finding.chains import Chain, free_pieces, other_chains, product_chains
from unroll.passes.rerolling.finding.first_step import simplified_first_step
from unroll.passes.rerolling.finding.guessing import guess
from unroll.passes.rerolling.finding.matching import Matcher
from unroll.passes.rerolling.finding.pattern import Pattern, Step
from unroll.passes.rerolling.finding.recurrences import Recurrence
from unroll.passes.rerolling.finding.view import View
from unroll.passes.rerolling.finding.widening import widened
from unroll.tensor import Node

#: Without a product with a weight, a repetition is worth a loop only with this many steps, and this many nodes a step.
FEWEST_STEPS, _FEWEST_NODES = 4, 2

#: A run of steps and their pattern; none where nothing was found.
Run = tuple[list[Step], Pattern | None]


def find(view: View) -> list[Recurrence]:
    """Return the recurrences of a graph, none of which share a node."""
    taken: set[Node] = set()
    found: list[Recurrence] = []
    while new := list(_accepted(view, product_chains(view, taken), taken, fewest=2, least_nodes=2)):
        found += new  # what is found tells layers apart that share their weights: the next one reads it
    return found + without_products(view, FEWEST_STEPS, taken)


def without_products(view: View, fewest: int, taken: set[Node] | None = None) -> list[Recurrence]:
    """Return the recurrences without a product of a state with a weight, of at least `fewest` steps, among nodes not taken."""
    taken = set() if taken is None else taken
    return list(_accepted(view, other_chains(view, taken), taken, fewest, _FEWEST_NODES))


def _accepted(
    view: View, chains: Iterable[Chain], taken: set[Node], fewest: int, least_nodes: int
) -> Iterator[Recurrence]:
    """Yield the recurrences that chains lead to: first those that hand on the least, and among these those of most nodes.

    Where two have a node in common, the longer run comes first: layers that share a cell look like steps of one another.
    """
    found = [item for chain in chains if (item := _guessed(view, chain)) is not None]
    longest: dict[Node, int] = {}
    for *_, (run, _) in found:
        for node in (node for step in run for node in step.nodes):
            longest[node] = max(longest.get(node, 0), len(run))

    def rank(item: tuple[int, int, Chain, Run]) -> tuple[bool, int, int]:
        width, explained, _, (run, _) = item
        return any(longest[node] > len(run) for step in run for node in step.nodes), width, explained

    waiting = sorted(found, key=rank)
    while waiting:
        *_, chain, first_run = waiting.pop(0)
        for piece in free_pieces(chain, taken):
            run, pattern = first_run if len(piece) == len(chain) else ([], None)
            if len(run) < len(piece) or any(node in taken for step in run for node in step.nodes):
                run, pattern = _longest_run(view, piece, taken)
            if len(run) < fewest:
                run, pattern = _longest_run(view, piece, taken, weights_of_its_own=True)
            if pattern is None or len(run) < fewest or len(pattern.parts) < least_nodes or not pattern.input_count:
                continue
            first = simplified_first_step(view, pattern, run[0])
            steps = tuple(run) if first is None else (first[0], *run)
            members = {node: at for at, step in enumerate(steps) for node in step.nodes}
            members |= {node: 0 for node in (() if first is None else first[1]) if node not in taken}
            taken.update(members)
            yield Recurrence(pattern, steps, members)
            rest = _guessed(view, [node for node in chain if node not in taken])
            if rest is not None:
                waiting.append(rest)
            break


def _guessed(view: View, chain: Chain) -> tuple[int, int, Chain, Run] | None:
    """Return what a guess in the middle of a chain leads to, to be sorted by what comes first.

    That is how wide the states are, minus how many nodes are explained, the chain, and the run with its pattern.
    """
    if len(chain) < 2:
        return None
    pattern = _guess(view, chain, (len(chain) - 2) // 2)
    if pattern is None:
        return (2**31, 0, chain, ([], None))
    run = Matcher(view, pattern).run()
    return (pattern.width, -len(pattern.parts) * len(run), chain, (run, pattern))


def _guess(view: View, chain: Chain, at: int, weights_of_its_own: bool = False) -> Pattern | None:
    pattern = guess(view, chain, at, weights_of_its_own)
    return None if pattern is None else widened(view, pattern)


def _longest_run(view: View, chain: Chain, taken: set[Node], weights_of_its_own: bool = False) -> Run:
    """Return the longest run that a guess in the middle, at the start or at the end of a chain leads to."""
    best: Run = ([], None)
    for at in dict.fromkeys(((len(chain) - 2) // 2, 0, len(chain) - 2)):
        pattern = _guess(view, chain, at, weights_of_its_own)
        if pattern is None:
            continue
        run = Matcher(view, pattern).run()
        if any(node in taken for step in run for node in step.nodes):
            continue
        if len(run) > len(best[0]):
            best = (run, pattern)
        if len(run) >= len(chain):
            break
    return best
