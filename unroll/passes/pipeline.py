"""A pipeline of passes: `optimize` runs it and says what each of them did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeAlias, overload

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.errors import ArgumentError, ArgumentTypeError, warn
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.canonical import canonical
from unroll.passes.flatten_stacks import flatten_stacks
from unroll.passes.fold_biases import fold_biases
from unroll.passes.fold_constants import fold_constants
from unroll.passes.fold_zeros import fold_zeros
from unroll.passes.fuse_products import fuse_products
from unroll.passes.hoist_inputs import hoist_inputs
from unroll.passes.join_cells import join_cells
from unroll.passes.join_kernels import join_kernels
from unroll.passes.join_parts import join_parts
from unroll.passes.merge_equal import merge_equal
from unroll.passes.proving.numeric_proof import Proof
from unroll.passes.proving.proof import prove
from unroll.passes.remove_dead import remove_dead
from unroll.passes.reorder_gates import reorder_gates
from unroll.passes.split_kernels import split_kernels
from unroll.passes.tools.cost import Cost, cost_of
from unroll.passes.tools.drafting import Draft
from unroll.passes.tools.rewriting import is_in_place

Pass: TypeAlias = Callable[[Graph], Graph]
#: A pass and its name.
Named: TypeAlias = tuple[str, Pass]

#: Every pass by name.
PASSES: dict[str, Callable[..., Graph]] = {
    item.__name__: item
    for item in (
        cancel_shapes,
        canonical,
        flatten_stacks,
        fold_biases,
        fold_constants,
        fold_zeros,
        fuse_products,
        hoist_inputs,
        join_cells,
        join_kernels,
        join_parts,
        merge_equal,
        remove_dead,
        reorder_gates,
        split_kernels,
    )
}
#: Those that ask what pays, and so need the size of a batch.
_ASK_FOR_BATCH = frozenset(["hoist_inputs", "join_cells", "join_kernels", "split_kernels"])
#: What `optimize` runs by default, in order.
DEFAULT: tuple[str, ...] = (
    "fold_constants",
    "fold_zeros",
    "remove_dead",
    "cancel_shapes",
    "merge_equal",
    "split_kernels",
    "fold_biases",
    "fold_zeros",  # a zero state no longer has a bias added
    "join_kernels",
    "reorder_gates",
    "hoist_inputs",
    "flatten_stacks",
    "cancel_shapes",
    "join_parts",
    "merge_equal",
    "fuse_products",
    "join_cells",
    "remove_dead",
)


class Step(NamedTuple):
    """What one pass did.

    Attributes:
        name: the pass.
        before: what the graph cost before it.
        after: what it costs after it.
    """

    name: str
    before: Cost
    after: Cost


class Report(NamedTuple):
    """What `optimize` did, pass by pass; as text, a table.

    Attributes:
        steps: each pass in order.
        batch: what symbolic dimensions were taken for.
        proof: the proof that the new graph computes the same; None where none was asked for. Where no proof could be
            made, nothing was rewritten.
        left_out: passes that were left out, by name, and the proof that failed.
    """

    steps: tuple[Step, ...]
    batch: int
    proof: Proof | None = None
    left_out: tuple[tuple[str, Proof], ...] = ()

    def __str__(self) -> str:
        if not self.steps:
            return "no passes" if self.proof is None else f"nothing was rewritten: what passes make {self.proof}"
        rows = [("pass", "nodes", "of weights", "bytes written", "FLOPs")]
        rows += [("(before)", *_texts(self.steps[0].before))]
        rows += [(step.name, *_texts(step.after)) for step in self.steps]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if not column else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        lines.append(
            f"one run at batch {self.batch}; of the nodes, those of weights are computed once, when exported; "
            "bytes and FLOPs (estimated) are those of the others"
        )
        lines += [str(self.proof)] if self.proof is not None else []
        lines += [f"{name} was left out: what it makes {proof}" for name, proof in self.left_out]
        return "\n".join(lines)


def _texts(cost: Cost) -> tuple[str, str, str, str]:
    return str(cost.nodes + cost.weight_nodes), str(cost.weight_nodes), str(cost.bytes), str(cost.flops)


@overload
def optimize(
    graph: Graph,
    passes: Sequence[str | Pass] | None = None,
    report: Literal[False] = False,
    *,
    batch: int = 1,
    check: bool = True,
) -> Graph: ...
@overload
def optimize(
    graph: Graph,
    passes: Sequence[str | Pass] | None = None,
    *,
    report: Literal[True],
    batch: int = 1,
    check: bool = True,
) -> tuple[Graph, Report]: ...


@checked()
def optimize(
    graph: Graph,
    passes: Sequence[str | Pass] | None = None,
    report: bool = False,
    *,
    batch: int = 1,
    check: bool = True,
) -> Graph | tuple[Graph, Report]:
    """Return a graph that computes the same in fewer or cheaper nodes, made for onnxruntime.

    Parameters stay as they are, so that a value assigned later still counts; inputs, outputs and their names stay too.
    Both graphs are run in NumPy on feeds made to tell them apart (see `unroll.passes.proving.proof`). Where they
    differ, the passes are run again one by one, and one whose result differs is left out, with an `UnrollWarning`.
    Where nothing can be proven, nothing is rewritten, with a warning that says why.

    Args:
        graph: the graph; it is not changed.
        passes: names of passes, or functions from Graph to Graph, run in this order; by default `DEFAULT`.
        report: also return a `Report` of what each pass did: nodes, bytes and estimated FLOPs before and after.
        batch: the size that symbolic dimensions are taken for when asking what pays.
        check: whether the new graph is proven.

    Returns:
        The new graph; with `report`, a pair of it and the report.

    Raises:
        ArgumentTypeError: not a graph, a pass that is neither a name nor a function, or that returns no graph.
        ArgumentError: a name that no pass has, or a batch below 1.

    Example:
        >>> X = [unroll.placeholder([None, 3], name=f"X{t}") for t in range(4)]
        >>> outputs, state = unroll.static_rnn(unroll.GRUCell(5), X)
        >>> graph = unroll.Graph(X, outputs)
        >>> small, report = unroll.optimize(graph, report=True)
        >>> len(small.nodes) < len(graph.nodes), bool(report.proof)
        (True, True)
    """
    check_graph(graph, "optimize")
    batch = check_size(batch, "optimize: batch")
    if isinstance(passes, str) or callable(passes):
        raise ArgumentTypeError(f"optimize: passes {passes!r} is not a list of passes; write [{passes!r}]")
    if not isinstance(passes, (Sequence, type(None))):
        raise ArgumentTypeError(
            f"optimize: passes is {passes!r} of type {type(passes).__name__}; a list of passes is wanted, which are run in "
            "its order"
        )
    chosen = [_found(item, batch) for item in (DEFAULT if passes is None else passes)]
    # A function of the caller's own may keep the graph that it is given.
    ours = all(isinstance(item, str) for item in passes or ())
    with collector_paused():
        new, steps = _after(graph, chosen, ours, batch if report else None)
        proof: Proof | None = None
        left_out: list[tuple[str, Proof]] = []
        if check and chosen:
            proof = prove(graph, new, lambda part: _after(part, chosen, ours)[0], whole=not ours)
            if proof.holds is None:  # nor could each pass by itself
                warn(f"optimize: nothing was rewritten: what passes make {proof}")
                return (graph, Report((), batch, proof)) if report else graph
            if not proof:
                new, chosen, left_out = _one_by_one(graph, chosen, ours)
                _, steps = _after(graph, chosen, ours, batch if report else None)
                proof = Proof(True, "each pass by itself") if chosen else None
    for name, why in left_out:
        warn(f"optimize: the pass {name} was left out: what it makes {why}")
    return (new, Report(tuple(steps), batch, proof, tuple(left_out))) if report else new


def _after(graph: Graph, chosen: Sequence[Named], ours: bool, batch: int | None = None) -> tuple[Graph, list[Step]]:
    """Return what passes make of a graph, and, where a batch is given, the cost before and after each of them."""
    steps: list[Step] = []
    cost = None if batch is None else cost_of(graph, batch)
    first, lasting = graph, frozenset(graph.nodes)
    for name, run in chosen:
        if ours and graph is not first and isinstance(graph, Draft):
            graph.hand_on(lasting, is_in_place(PASSES[name]))
        graph = _run(name, run, graph)
        if cost is not None and batch is not None:
            before, cost = cost, cost_of(graph, batch)
            steps.append(Step(name, before, cost))
    if graph is not first and isinstance(graph, Draft):
        graph.release()
    return graph, steps


def _one_by_one(
    graph: Graph, chosen: Sequence[Named], ours: bool
) -> tuple[Graph, list[Named], list[tuple[str, Proof]]]:
    """Run each pass by itself and leave out those that are not proven; return the graph, the passes that were run, and
    the others.
    """
    kept: list[Named] = []
    left_out: list[tuple[str, Proof]] = []
    for name, run in chosen:
        only: list[Named] = [(name, run)]
        new, _ = _after(graph, only, ours)
        proof = prove(
            graph,
            new,
            lambda part, only=only: _after(part, only, ours)[0],  # type: ignore[misc]
            whole=not ours,
        )
        if proof:
            graph = new
            kept.append((name, run))
        else:
            left_out.append((name, proof))
    return graph, kept, left_out


def _found(item: str | Pass, batch: int) -> tuple[str, Pass]:
    if isinstance(item, str):
        if item not in PASSES:
            raise ArgumentError(f"optimize: no pass is called {item!r}; there are {', '.join(PASSES)}")
        return item, partial(PASSES[item], batch=batch) if item in _ASK_FOR_BATCH else PASSES[item]
    if not callable(item):
        raise ArgumentTypeError(f"optimize: {item!r} is neither the name of a pass nor a function from Graph to Graph")
    return getattr(item, "__name__", type(item).__name__), item


def _run(name: str, run: Pass, graph: Graph) -> Graph:
    found = run(graph)
    if not isinstance(found, Graph):
        raise ArgumentTypeError(f"optimize: the pass {name} returned {type(found).__name__}, not a Graph")
    return found
