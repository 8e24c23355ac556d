"""Cells that wait for one another or differ are left alone, and whatever is joined computes the same in any network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from joined_cells import (
    STEPS,
    UNITS,
    WIDTH,
    check_joined,
    directions,
    feeds_of,
    is_joined,
    stack_of,
    unstacked,
)

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMCell, MultiRNNCell, ops
from unroll.passes.pipeline import optimize

# -- what is left alone ------------------------------------------------------------------------------------------------


def decoder() -> Graph:
    """The second cell's output is the first one's next input: neither can go on before the other."""
    x, h0, h1 = (unroll.placeholder([None, UNITS], name) for name in ("x", "h0", "h1"))
    first, second = BasicRNNCell(UNITS, name="first"), BasicRNNCell(UNITS, name="second")
    y, a, b = x, h0, h1
    for _ in range(STEPS):
        _, a = first(y, a)
        y, b = second(a, b)
    return Graph([x, h0, h1], {"y": y})


def shared() -> Graph:
    """One weight in both directions: which product belongs to which is not told by the weight."""
    cell = BasicRNNCell(UNITS)
    x, xs = unstacked()
    forward, _ = unroll.static_rnn(cell, xs, dtype="float32")
    backward, _ = unroll.static_rnn(cell, xs[::-1], dtype="float32")
    return Graph([x], {"y": ops.stack(forward), "z": ops.stack(backward)})


@pytest.mark.slow
@pytest.mark.parametrize(
    "made",
    [
        lambda: stack_of([BasicLSTMCell(UNITS)]),
        lambda: stack_of([BasicLSTMCell(UNITS), BasicLSTMCell(UNITS + 1)]),
        lambda: stack_of([BasicLSTMCell(UNITS), GRUCell(UNITS)]),
        lambda: stack_of([BasicLSTMCell(UNITS), GRUCell(UNITS), BasicLSTMCell(UNITS)]),
        lambda: directions(BasicLSTMCell(UNITS), BasicLSTMCell(UNITS), 4),
        decoder,
        shared,
    ],
    ids=["one cell", "sizes", "kinds", "another between", "few steps", "decoder", "shared weight"],
)
def test_cells_that_cannot_be_joined_are_left_as_they_were(made: Callable[[], Graph]) -> None:
    graph = made()
    before, after = check_joined(graph)
    assert before == after
    assert not is_joined(graph)


class WrittenCell(unroll.RNNCell):
    """A cell of somebody's own: its step is a function of x, h and their weights."""

    def __init__(self, units: int, gates: int, step: Callable[[Any, Any, Any, Any], Any]) -> None:
        super().__init__()
        self.units, self.gates, self.step = units, gates, step

    @property
    def state_size(self) -> int:
        return self.units

    @property
    def output_size(self) -> int:
        return self.units

    def call(self, x: Any, h: Any) -> Any:
        columns = {str(gate): self.units for gate in range(self.gates)}
        wx = self.add_weight("wx", rows={"x": int(x.shape[-1])}, columns=columns)
        wh = self.add_weight("wh", rows={"h": self.units}, columns=columns)
        h = self.step(x, h, wx, wh)
        return h, h


def test_a_softmax_over_one_unit_whose_first_values_are_one_tensor_for_both_directions() -> None:
    def step(x: Any, h: Any, wx: Any, wh: Any) -> Any:
        return ops.tanh(x @ wx + ops.softmax(h) @ wh)

    check_joined(directions(WrittenCell(1, 1, step), WrittenCell(1, 1, step)))


def test_one_of_two_lanes_adds_no_input_product() -> None:
    def step(x: Any, h: Any, wx: Any, wh: Any) -> Any:
        a, b = ops.split(x @ wx + h @ wh, 2, -1)
        return ops.maximum(a, b * 0.5) - ops.relu(h) * 0.3

    graph = stack_of([WrittenCell(5, 2, step), GRUCell(5), GRUCell(5)])
    found = optimize(graph, ["hoist_inputs", "fuse_products", "split_kernels", "join_cells"])
    feeds = feeds_of(graph)
    np.testing.assert_allclose(found.run(feeds)["y"], graph.run(feeds)["y"], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2])
def test_lanes_that_multiply_by_a_row_and_by_a_matrix(batch: int) -> None:
    """The layers differ in what they scale by: a row of weights, and something fed."""
    row = unroll.Parameter(np.array([[0.5, 0.25]], "float32"), "row")
    scale = unroll.placeholder([None, 2], "scale")

    def by(factor: Any) -> Callable[[Any, Any, Any, Any], Any]:
        return lambda x, h, wx, wh: ops.tanh(x @ wx + h @ wh) * factor

    x, xs = unstacked()
    outputs, _ = unroll.static_rnn(MultiRNNCell([WrittenCell(2, 1, by(row)), WrittenCell(2, 1, by(scale))]), xs)
    graph = Graph([x, scale], {"y": ops.stack(outputs)})
    check_joined(graph, feeds_of(graph, batch))


# -- any network -------------------------------------------------------------------------------------------------------


def network(seed: int) -> Graph:
    """Draw layers of one or two directions, with or without initial states and lengths, read in the middle or at the end."""
    rng = np.random.default_rng([17, seed])
    steps, units = int(rng.integers(5, 10)), int(rng.integers(2, 5))
    kinds: list[Callable[[int], Any]] = [BasicRNNCell, BasicLSTMCell, GRUCell, LSTMCell]
    kinds += [lambda units: LSTMCell(units, use_peepholes=True), unroll.cells.UGRNNCell]
    kind = kinds[int(rng.integers(0, len(kinds)))]
    batch = None if rng.random() < 0.7 else 1
    apart = rng.random() < 0.3
    if apart:
        inputs = xs = [unroll.placeholder([batch, WIDTH], f"x{step}") for step in range(steps)]
    else:
        x, xs = unstacked(steps, batch)
        inputs = [x]
    lengths = unroll.placeholder([batch], "n", "int32") if rng.random() < 0.3 else None
    outputs: dict[str, Any] = {}
    for layer in range(int(rng.integers(1, 3))):
        cells = int(rng.integers(1, 4))
        both = rng.random() < 0.5 or cells == 1

        def made(cells: int = cells) -> Any:
            return MultiRNNCell([kind(units) for _ in range(cells)]) if cells > 1 else kind(units)

        with unroll.scope(f"layer{layer}"):
            if both:
                xs, state, other = unroll.static_bidirectional_rnn(
                    made(), made(), xs, sequence_length=lengths, dtype="float32"
                )
                state = (state, other)
            else:
                xs, state = unroll.static_rnn(made(), xs, sequence_length=lengths, dtype="float32")
        leaves = unroll.nest.flatten(state)
        outputs |= {
            f"state{layer}/{place}": leaves[place] for place in rng.permutation(len(leaves))[: rng.integers(0, 3)]
        }
        if rng.random() < 0.5:
            outputs[f"middle{layer}"] = xs[int(rng.integers(0, steps))]
    end = int(rng.integers(0, 3))
    outputs |= (
        {"y": ops.stack(xs)} if end == 0 else {"y": xs[-1]} if end == 1 else {f"y{t}": x for t, x in enumerate(xs)}
    )
    return Graph([*inputs, *([] if lengths is None else [lengths])], outputs)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("block", range(6))
def test_any_network_computes_the_same_in_fewer_nodes(block: int) -> None:
    joined = 0
    for seed in range(20 * block, 20 * block + 20):
        graph = network(seed)
        feeds = feeds_of(graph, batch=3, seed=seed)
        feeds |= {"n": np.array([1, 5, 3][: len(feeds["n"])], np.int32)} if "n" in feeds else {}
        before, after = check_joined(graph, feeds)
        assert sum(after.values()) <= sum(before.values())
        joined += after != before
    assert joined >= 7, "most networks have cells to join"
