"""Finding the recurrences of a graph: runs of steps of one pattern, each handing its states to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from unroll.passes.rerolling.finding.chains import Chain, free_pieces, other_chains, product_chains
from unroll.passes.rerolling.finding.first_step import simplified_first_step
from unroll.passes.rerolling.finding.matching import Matcher, Step
from unroll.passes.rerolling.finding.pattern import Inner, Shared, Template, guess
from unroll.passes.rerolling.finding.view import View
from unroll.passes.rerolling.finding.widening import widened
from unroll.passes.tools.rewriting import merged
from unroll.scopes import Origin, join
from unroll.tensor import Node, Tensor

#: Without a matrix product a repetition is worth a loop only where it has this many steps, and nodes a step.
FEWEST_STEPS, _FEWEST_NODES = 4, 2

#: A run of steps and their pattern; none where nothing was found.
Run = tuple[list[Step], Template | None]
#: The same tensor at every step, in order.
Column = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A run of steps.

    Attributes:
        template: their pattern.
        steps: the steps in the order in which they depend on one another.
        members: the step that each of its nodes belongs to, those of a simplified first step among them.
    """

    template: Template
    steps: tuple[Step, ...]
    members: dict[Node, int]

    @property
    def simplified(self) -> bool:
        """Whether the first step was simplified for states of zeros."""
        return not self.steps[0].nodes

    @property
    def provenance(self) -> frozenset[Origin]:
        """Where all of its nodes came from."""
        return merged(node for step in self.steps for node in step.nodes)

    @property
    def scope(self) -> str:
        """The scope of its nodes without their timestep: ``rnn/basic_lstm_cell``."""
        return common_scope([node.origin for node in self.steps[-1].nodes])

    def leaf(self, number: int) -> Column:
        """Return a tensor that each step reads for itself, step by step."""
        return tuple([step.leaves[number] for step in self.steps])

    def column(self, inner: Inner) -> dict[int, Tensor]:
        """Return an output of the pattern by the number of the step; a simplified first step has only the states."""
        found = ((at, self._of(step, inner)) for at, step in enumerate(self.steps))
        return {at: tensor for at, tensor in found if tensor is not None}

    def _of(self, step: Step, inner: Inner) -> Tensor | None:
        if step.nodes:
            return step.nodes[inner.place].outputs[inner.output]
        return dict(zip(self.template.states, step.after, strict=True)).get(inner)

    def made(self) -> Iterator[tuple[int, int, int, Tensor]]:
        """Yield (step, place, index, tensor) of everything that its nodes make, and the states of a simplified step."""
        for at, step in enumerate(self.steps):
            if not step.nodes:
                for inner, tensor in zip(self.template.states, step.after, strict=True):
                    yield at, *inner, tensor
            for place, node in enumerate(step.nodes):
                for tensor in node.outputs:
                    yield at, place, tensor.index, tensor

    def read(self) -> Iterator[Tensor]:
        """Yield every tensor that is read from outside."""
        if not self.simplified:
            yield from self.steps[0].before
        for step in self.steps:
            yield from step.leaves
        yield from self.shared()

    def shared(self) -> list[Tensor]:
        """Return the tensors that all steps read, each once."""
        sources = (source for part in self.template.parts for source in part.sources)
        return list(dict.fromkeys(source.tensor for source in sources if isinstance(source, Shared)))

    def without_last(self, count: int) -> Recurrence:
        """Return all but the last `count` steps."""
        kept = self.steps[: len(self.steps) - count]
        return replace(self, steps=kept, members={node: at for node, at in self.members.items() if at < len(kept)})


def find(view: View) -> list[Recurrence]:
    """Return the recurrences of a graph, none of which share a node."""
    taken: set[Node] = set()
    found: list[Recurrence] = []
    while new := list(_accepted(view, product_chains(view, taken), taken, fewest=2, least_nodes=2)):
        found += new  # what is found tells layers apart that share their weights: the next one reads it
    return found + without_products(view, FEWEST_STEPS, taken)


def without_products(view: View, fewest: int, taken: set[Node] | None = None) -> list[Recurrence]:
    """Return the recurrences of `fewest` steps at least that are no products of a state with a weight, of nodes not taken."""
    taken = set() if taken is None else taken
    return list(_accepted(view, other_chains(view, taken), taken, fewest, _FEWEST_NODES))


def _accepted(
    view: View, chains: Iterable[Chain], taken: set[Node], fewest: int, least_nodes: int
) -> Iterator[Recurrence]:
    """Yield what the chains lead to, those whose steps hand on the least first, and of these those that explain the most.

    But where two have a node in common, the longer run first: layers of one cell are steps of one another, too.
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
            run, template = first_run if len(piece) == len(chain) else ([], None)
            if len(run) < len(piece) or any(node in taken for step in run for node in step.nodes):
                run, template = _longest_run(view, piece, taken)
            if len(run) < fewest:
                run, template = _longest_run(view, piece, taken, weights_of_its_own=True)
            if template is None or len(run) < fewest or len(template.parts) < least_nodes or not template.leaves:
                continue
            first = simplified_first_step(view, template, run[0])
            steps = tuple(run) if first is None else (first[0], *run)
            members = {node: at for at, step in enumerate(steps) for node in step.nodes}
            members |= {node: 0 for node in (() if first is None else first[1]) if node not in taken}
            taken.update(members)
            yield Recurrence(template, steps, members)
            rest = _guessed(view, [node for node in chain if node not in taken])
            if rest is not None:
                waiting.append(rest)
            break


def _guessed(view: View, chain: Chain) -> tuple[int, int, Chain, Run] | None:
    """Return how wide the states are by a guess in the middle of a chain, minus how many nodes it explains, and how."""
    if len(chain) < 2:
        return None
    template = _guess(view, chain, (len(chain) - 2) // 2)
    if template is None:
        return (2**31, 0, chain, ([], None))
    run = Matcher(view, template).run()
    return (template.width, -len(template.parts) * len(run), chain, (run, template))


def _guess(view: View, chain: Chain, at: int, weights_of_its_own: bool = False) -> Template | None:
    template = guess(view, chain, at, weights_of_its_own)
    return None if template is None else widened(view, template)


def _longest_run(view: View, chain: Chain, taken: set[Node], weights_of_its_own: bool = False) -> Run:
    """Return the longest run that a guess in the middle, at the start or at the end of a chain leads to."""
    best: Run = ([], None)
    for at in dict.fromkeys(((len(chain) - 2) // 2, 0, len(chain) - 2)):
        template = _guess(view, chain, at, weights_of_its_own)
        if template is None:
            continue
        run = Matcher(view, template).run()
        if any(node in taken for step in run for node in step.nodes):
            continue
        if len(run) > len(best[0]):
            best = (run, template)
        if len(run) >= len(chain):
            break
    return best


def common_scope(origins: Sequence[Origin]) -> str:
    """Return the path that the scopes of nodes begin with, without their timestep."""
    return _common([_without_step(origin) for origin in origins])


def _without_step(origin: Origin) -> str:
    return "/".join(part for part in origin.scope.split("/") if part != f"t{origin.step}")


def _common(scopes: Sequence[str]) -> str:
    """Return the path that all scopes begin with."""
    result = ""
    for parts in zip(*(scope.split("/") for scope in scopes), strict=False):
        if len(set(parts)) > 1:
            break
        result = join(result, parts[0])
    return result
