"""What is known of a node's value while tracing is known after every pass as well: no size is lost by a rewriting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_graphs import random_graph
from random_networks import random_network

import unroll
from unroll import Graph, ops
from unroll.passes.pipeline import DEFAULT, PASSES


def check_known(graph: Graph) -> int:
    """Check every node of a graph; return of how many the value is known."""
    count = 0
    for node in graph.nodes:
        for tensor in node.outputs:
            told = node.op.known_value(node.inputs, tensor.dtype) if node.may_be_known else None
            assert tensor.known == told, f"{node!r}"
            count += told is not None
    return count


def int64(value: int) -> Any:
    return unroll.constant(value, "int64")


#: Ways to make a vector of sizes of two others, with a place in the first that is not its last.
OF_VECTORS: tuple[Callable[[Any, Any, int], Any], ...] = (
    lambda one, other, place: ops.concat([one, other], 0),
    lambda one, other, place: one[place : place + 2],
    lambda one, other, place: one + int64(place),
    lambda one, other, place: one * int64(1),
    lambda one, other, place: ops.unsqueeze(ops.gather(one, int64(place)), [0]),
    lambda one, other, place: ops.cast(ops.cast(one, "int32"), "int64"),
    lambda one, other, place: ops.identity(one),
    lambda one, other, place: ops.squeeze(ops.unsqueeze(one, [0]), [0]),  # whose value no operator tells
)


def of_sizes(seed: int) -> Graph:
    """A random program that computes with sizes, of which one is a symbol."""
    rng = np.random.default_rng(seed)
    x = unroll.placeholder([None, 4, 6], "x")
    turned = ops.tanh(ops.transpose(ops.transpose(x, (1, 0, 2)), (1, 0, 2)))
    vectors: list[Any] = [ops.shape(turned), ops.shape(x), unroll.constant([1, 4, 6], "int64")]
    for _ in range(8):
        one, other = (vectors[int(rng.integers(len(vectors)))] for _ in range(2))
        make = OF_VECTORS[int(rng.integers(len(OF_VECTORS)))]
        vectors.append(make(one, other, int(rng.integers(max(1, int(one.shape[0]) - 1)))))
    return Graph([x], {"y": turned + x, **{f"v{place}": vector for place, vector in enumerate(vectors[3:])}})


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSES)
def test_every_value_that_an_operator_tells_is_known_after_a_pass(name: str) -> None:
    for seed in range(20):
        check_known(PASSES[name](random_graph(seed)[0]))
        check_known(PASSES[name](random_network(seed)[0]))
    assert sum(check_known(PASSES[name](of_sizes(seed))) for seed in range(60)) > 60


@pytest.mark.slow
def test_every_value_is_known_after_all_passes_one_after_another() -> None:
    for seed in range(40):
        graph = of_sizes(seed)
        for name in DEFAULT:
            graph = PASSES[name](graph)
            check_known(graph)
        check_known(unroll.optimize(of_sizes(seed), check=False))


def test_values_that_are_known_are_those_that_a_run_computes() -> None:
    compared = 0
    for seed in range(60):
        graph = PASSES["cancel_shapes"](of_sizes(seed))
        known = {tensor: tensor.known for node in graph.nodes for tensor in node.outputs if tensor.known is not None}
        values = graph.run({"x": np.zeros((3, 4, 6))}, list(known))
        for value, dims in zip(values, known.values(), strict=True):
            listed = dims if isinstance(dims, tuple) else (dims,)
            numbers = [
                dim if isinstance(dim, int) else unroll.dimensions.substitute(dim, {"batch": 3}) for dim in listed
            ]
            assert value.reshape(-1).tolist() == numbers
            compared += 1
    assert compared > 120


#: Sizes that int32 wraps round for a batch that fits into memory, and those that it holds.
WRAPPED: dict[str, Callable[[Any], Any]] = {
    "a cast of a million times as much": lambda size: ops.cast(size * int64(1_000_000), "int32"),
    "a cast of the square": lambda size: ops.cast(size * size, "int32"),
    "a product in int32": lambda size: ops.cast(size, "int32") * unroll.constant(1_000_000, "int32"),
    "a sum in int32": lambda size: ops.cast(size, "int32") + ops.cast(size, "int32") + ops.cast(size, "int32"),
    "a cast of a number": lambda size: ops.cast(int64(2**32 + 7), "int32"),
}
HELD: dict[str, Callable[[Any], Any]] = {
    "the size": lambda size: ops.cast(size, "int32"),
    "one less": lambda size: ops.cast(size - int64(1), "int32"),
    "the size, there and back": lambda size: ops.cast(ops.cast(size, "int32"), "int64"),
    "a number": lambda size: ops.cast(int64(7), "int32"),
    "a million times as much in int64": lambda size: size * int64(1_000_000),
}


@pytest.mark.parametrize("name", [*WRAPPED, *HELD])
def test_what_an_integer_may_wrap_round_is_not_known(name: str) -> None:
    x = unroll.placeholder([None, 0], "x")
    made = {**WRAPPED, **HELD}[name](ops.gather(ops.shape(x), int64(0)))
    assert (made.known is None) == (name in WRAPPED)
    wide = ops.cast(made, "int64")
    graph = unroll.Graph([x], {"wide": wide + int64(0)})
    size = 5_000 if name in WRAPPED else 3
    found = [item.run({"x": np.zeros((size, 0), np.float32)}, "wide") for item in (graph, unroll.optimize(graph))]
    assert found[0] == found[1]
