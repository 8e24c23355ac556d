"""Whether two graphs compute the same: by canonical form, then by numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from unroll.dimensions import Dimension, Shape, shape_text, substitute
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, UnrollError
from unroll.graph import Graph
from unroll.passes.canonical import canonical, chain_terms
from unroll.passes.digests import EXCHANGEABLE, Digests, op_digest
from unroll.tensor import Node, Tensor

#: How far numbers of each dtype may differ, relative to the largest of the tensor.
TOLERANCE = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-9}
#: What symbolic dimensions are taken for in turn.
_SIZES = (1, 2, 3)


class Equivalence(NamedTuple):
    """What `equivalent` found; true where the graphs compute the same.

    Attributes:
        equal: whether they do.
        means: how that was found out. ``"structure"``: the canonical forms are the same, Parameters by name, whatever
            values they take; ``"weights"``: the canonical forms are the same with the values that Parameters have now;
            ``"numbers"``: random feeds give the same outputs, or do not; ``"interface"``: inputs or outputs are not alike.
        difference: where inputs or outputs first differ, in words; empty for equal graphs.
        structural: where the canonical forms first differ, in words; empty where they do not.
    """

    equal: bool
    means: str
    difference: str = ""
    structural: str = ""

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        said = {
            "structure": "the canonical forms are the same",
            "weights": "the canonical forms are the same with the values that the weights have now",
            "numbers": "random feeds give the same outputs",
        }
        return f"equal: {said[self.means]}" if self.equal else f"not equal: {self.difference}"


def equivalent(a: Graph, b: Graph, *, feeds: int = 3, seed: int = 0) -> Equivalence:
    """Say whether two graphs compute the same outputs from the same inputs.

    Inputs and outputs correspond by name where both graphs have the same names, else by their order. The canonical forms
    are compared first (see `unroll.passes.canonical`): without looking at values, then with the weights' values of now in
    their place. Where these differ, both graphs run on random feeds.

    Args:
        a: a graph.
        b: another.
        feeds: how many random feeds to try; at least 1.
        seed: of the feeds; at least 0.

    Returns:
        An `Equivalence`: true or false, the means by which that was found, and where the graphs first differ. Found by numbers,
        equality is very likely and not proven.

    Raises:
        ArgumentTypeError: not two graphs, or `feeds` or `seed` is no int.
        ArgumentError: `feeds` or `seed` is too small.
    """
    for graph in (a, b):
        if not isinstance(graph, Graph):
            raise ArgumentTypeError(f"equivalent: {graph!r} is not a Graph; make one with unroll.Graph(...)")
    for what, number, least in (("feeds", feeds, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise ArgumentTypeError(f"equivalent: {what} {number!r} is not an int")
        if number < least:
            raise ArgumentError(f"equivalent: {what} {number}; at least {least} is wanted")
    difference = _interface(a, b)
    if difference:
        return Equivalence(False, "interface", difference)
    structural = ""
    for means in ("structure", "weights"):
        structural = _difference(*(canonical(graph, values=means == "weights") for graph in (a, b)))
        if not structural:
            return Equivalence(True, means)
    difference = _by_numbers(a, b, feeds, seed)
    return Equivalence(not difference, "numbers", difference, structural)


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def _paired(first: list[str], second: list[str]) -> list[tuple[str, str]]:
    """Pair names: each with itself where both have the same ones, else in order."""
    return [(name, name) for name in first] if set(first) == set(second) else list(zip(first, second, strict=True))


def _inputs(graph: Graph) -> list[str]:
    return [tensor.name for tensor in graph.inputs]


def _outputs(graph: Graph) -> list[str]:
    return list(dict.fromkeys(graph.output_names))


def _interface(a: Graph, b: Graph) -> str:
    for what, first, second in (("inputs", _inputs(a), _inputs(b)), ("outputs", _outputs(a), _outputs(b))):
        if len(first) != len(second):
            return f"{len(first)} {what} ({', '.join(first)}) and {len(second)} ({', '.join(second)})"
        tensors = [_by_name(graph, what) for graph in (a, b)]
        for one, other in _paired(first, second):
            left, right = tensors[0][one], tensors[1][other]
            if left.dtype != right.dtype or left.rank != right.rank or not _fit(a.shape(left), b.shape(right)):
                seen = f"{shape_text(a.shape(left))} {left.dtype} and {shape_text(b.shape(right))} {right.dtype}"
                return f"{what[:-1]} {one} is {seen}"
    return ""


def _by_name(graph: Graph, what: str) -> Mapping[str, Tensor]:
    if what == "inputs":
        return {tensor.name: tensor for tensor in graph.inputs}
    return dict(zip(graph.output_names, graph.outputs, strict=True))


def _fit(left: Shape, right: Shape) -> bool:
    return all(
        one == other or isinstance(one, Dimension) or isinstance(other, Dimension)
        for one, other in zip(left, right, strict=True)
    )


# -- structure ---------------------------------------------------------------------------------------------------------


class _Side(NamedTuple):
    """A canonical form and its digests."""

    graph: Graph
    digests: Digests
    near: Digests

    def named(self, tensor: Tensor) -> str:
        """Return what a tensor is called, in the form or in the user's graph."""
        node = tensor.node
        if node is None:
            return self.graph.names.tensors.get(tensor, tensor.label)
        return f"{self.graph.names.tensors.get(tensor, tensor.label)} ({node.op.name})"


def _difference(a: Graph, b: Graph) -> str:
    """Return where two canonical forms first differ, in words; empty where they do not."""
    left, right = _side(a), _side(b)
    tensors = [_by_name(graph, "outputs") for graph in (a, b)]
    for one, other in _paired(_outputs(a), _outputs(b)):
        x, y = tensors[0][one], tensors[1][other]
        if left.digests[x] != right.digests[y]:
            return _first_difference(left, x, right, y)
    return ""


def _side(graph: Graph) -> _Side:
    side = _Side(graph, Digests(graph), Digests(graph, exact=False))
    for node in graph.nodes:
        side.digests.add(node)
        side.near.add(node)
    return side


def _first_difference(left: _Side, x: Tensor, right: _Side, y: Tensor) -> str:
    """Walk from two tensors that differ towards the inputs, as long as the nodes themselves are alike."""
    while True:
        one, other = x.node, y.node
        if one is None or other is None or not _alike(one, other) or x.index != y.index:
            return f"{left.named(x)} and {right.named(y)}"
        pair = _exchanged(left, one, right, other) if one.op.name in EXCHANGEABLE else _ordered(left, one, right, other)
        if pair is None:
            return f"{left.named(x)} and {right.named(y)}"
        x, y = pair


def _ordered(left: _Side, one: Node, right: _Side, other: Node) -> tuple[Tensor, Tensor] | None:
    """Return the first inputs of two nodes that differ."""
    pairs = [(p, q) for p, q in zip(one.inputs, other.inputs, strict=True) if p is not None and q is not None]
    return next(((p, q) for p, q in pairs if left.digests[p] != right.digests[q]), None)


def _exchanged(left: _Side, one: Node, right: _Side, other: Node) -> tuple[Tensor, Tensor] | None:
    """Return terms of two sums that differ, alike as far as there are such: which place they have says nothing."""
    mine, its = chain_terms(one), chain_terms(other)
    both = Counter(left.digests[p] for p in mine) & Counter(right.digests[q] for q in its)
    first, second = _without(mine, left.digests, both), _without(its, right.digests, both)
    pairs = [(p, q) for p in first for q in second]
    near = [(p, q) for p, q in pairs if left.near[p] == right.near[q]]
    alike = [(p, q) for p, q in pairs if p.node is not None and q.node is not None and _alike(p.node, q.node)]
    return next(iter(near or alike or pairs), None)


def _without(terms: list[Tensor], digests: Digests, both: Counter[bytes]) -> list[Tensor]:
    left, found = Counter(both), []
    for term in terms:
        if left[digests[term]] > 0:
            left[digests[term]] -= 1
        else:
            found.append(term)
    return found


def _alike(one: Node, other: Node) -> bool:
    present = [[tensor is None for tensor in node.inputs] for node in (one, other)]
    return present[0] == present[1] and op_digest(one) == op_digest(other)


# -- numbers -----------------------------------------------------------------------------------------------------------


def _by_numbers(a: Graph, b: Graph, count: int, seed: int) -> str:
    """Run both on random feeds; return where the outputs first differ, in words."""
    names = _paired(_inputs(a), _inputs(b))
    failed: UnrollError | None = None
    ran = False
    for trial in range(count):
        rng = np.random.default_rng([seed, trial])
        arrays = _feeds(a, rng, _SIZES[trial % len(_SIZES)])
        found: list[Any] = []
        for graph, fed in ((a, arrays), (b, {other: arrays[one] for one, other in names})):
            try:
                found.append(graph.run(fed))
            except UnrollError as error:
                found.append(error)
        errors = [item for item in found if isinstance(item, UnrollError)]
        if len(errors) == 1:
            return f"on random feeds one runs and the other does not: {errors[0]}"
        if errors:
            failed = errors[0]
            continue
        ran = True
        for one, other in _paired(_outputs(a), _outputs(b)):
            difference = _array_difference(found[0][one], found[1][other])
            if difference:
                return f"output {one}: {difference}"
    return "" if ran else f"neither runs on random feeds, so that numbers cannot tell: {failed}"


def _feeds(graph: Graph, rng: np.random.Generator, size: int) -> dict[str, Array]:
    """Draw an array for each input; every symbol stands for `size`."""
    feeds = {}
    for spec in graph.input_specs:
        shape = [_number(dim, size) for dim in spec.shape]
        least = max([limit.least for limit in spec.limits], default=0)
        most = min([limit.most for limit in spec.limits], default=least + 3)
        if spec.dtype.kind == "f":
            feeds[spec.name] = rng.standard_normal(shape).astype(spec.dtype)
        else:
            feeds[spec.name] = rng.integers(least, most + 1, shape).astype(spec.dtype)
    return feeds


def _number(dim: Any, size: int) -> int:
    value = substitute(dim, dict.fromkeys(dim.symbols, size)) if isinstance(dim, Dimension) else dim
    return int(value)


def _array_difference(left: Array, right: Array) -> str:
    if left.shape != right.shape:
        return f"{shape_text(left.shape)} and {shape_text(right.shape)}"
    if left.dtype.kind != "f":
        places = np.argwhere(left != right)
    else:
        allowed = TOLERANCE[str(left.dtype)] * max(1.0, float(np.max(np.abs(left), initial=0, where=np.isfinite(left))))
        places = np.argwhere(~np.isclose(left, right, rtol=0, atol=allowed, equal_nan=True))
    if len(places) == 0:
        return ""
    at = tuple(int(index) for index in places[0])
    return f"{left[at]} and {right[at]} at {list(at)}"
