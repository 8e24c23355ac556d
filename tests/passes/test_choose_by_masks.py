"""Sums of masked products, as converters write the loops of Keras that skip steps, are choices, and so native operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reroll_checks import check_rerolled

import unroll
from unroll import ops
from unroll.passes.choose_by_masks import choose_by_masks
from unroll.tensor import Constant

CELLS = {
    "LSTM": lambda: unroll.BasicLSTMCell(4),
    "GRU": lambda: unroll.GRUCell(4),
    "RNN": lambda: unroll.BasicRNNCell(4),
}


def chosen(mask: Any, new: Any, old: Any, turned: bool = False) -> Any:
    keep, rest = ops.cast(mask, "float32"), ops.cast(ops.logical_not(mask), "float32")
    return rest * old + new * keep if turned else keep * new + old * rest


def masked(kind: str, tiled: bool = False, turned: bool = False) -> unroll.Graph:
    x, lengths = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None], "lengths", "int32")
    cell = CELLS[kind]()
    zeros = ops.constant_of_shape(ops.concat([ops.shape(x)[:1], [4]], 0))
    state: Any = unroll.nest.pack(cell.state_size, [zeros for _ in unroll.nest.flatten(cell.state_size)])
    for step, piece in enumerate(ops.unstack(x, axis=1)):
        _, new = cell(piece, state)
        valid = ops.less(unroll.constant(np.array(step, "int32")), ops.unsqueeze(lengths, [1]))
        valid = ops.tile(valid, [1, 4]) if tiled else valid
        pairs = zip(unroll.nest.flatten(new), unroll.nest.flatten(state), strict=True)
        state = unroll.nest.pack(cell.state_size, [chosen(valid, *pair, turned) for pair in pairs])
    return unroll.Graph([x, lengths], {"last": unroll.nest.flatten(state)[-1]})


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", CELLS)
def test_a_masked_loop_is_the_operator_with_lengths(kind: str, turned: bool, tiled: bool) -> None:
    new, report = check_rerolled(masked(kind, tiled, turned))
    assert report.operators == [kind]
    (node,) = (node for node in new.nodes if node.op.name == kind)
    assert node.inputs[4] is not None


def test_only_a_mask_and_its_opposite_are_a_choice() -> None:
    a, b = unroll.placeholder([2, 3], "a"), unroll.placeholder([2, 3], "b")
    m, n = unroll.placeholder([2, 1], "m", "bool"), unroll.placeholder([2, 1], "n", "bool")
    graph = unroll.Graph([a, b, m], {"y": chosen(m, a, b)})
    found = choose_by_masks(graph)
    assert [node.op.name for node in found.nodes] == ["Where"]
    feeds = {"a": np.ones((2, 3)), "b": 2 * np.ones((2, 3)), "m": [[True], [False]]}
    np.testing.assert_array_equal(found.run(feeds)["y"], graph.run(feeds)["y"])
    keep, rest = ops.cast(m, "float32"), ops.cast(ops.logical_not(n), "float32")
    other = unroll.Graph([a, b, m, n], {"y": keep * a + rest * b, "z": keep * a + ops.cast(m, "float32") * b})
    assert choose_by_masks(other) is other


def with_fixed_masks(masks: list[list[bool]], kind: str = "LSTM") -> unroll.Graph:
    """A loop whose masks are in the graph, as numbers, as converters leave lengths that are fixed."""
    x, cell = unroll.placeholder([3, len(masks), 3], "x"), CELLS[kind]()
    starts = [
        unroll.placeholder([3, 4], f"start{place}") for place, _ in enumerate(unroll.nest.flatten(cell.state_size))
    ]
    state: Any = unroll.nest.pack(cell.state_size, starts)
    for piece, mask in zip(ops.unstack(x, axis=1), masks, strict=True):
        _, new = cell(piece, state)
        keep = np.array(mask, "float32")[:, None]
        pairs = zip(unroll.nest.flatten(new), unroll.nest.flatten(state), strict=True)
        state = unroll.nest.pack(cell.state_size, [keep * one + (1 - keep) * other for one, other in pairs])
    return unroll.Graph([x, *starts], {"last": unroll.nest.flatten(state)[-1]})


@pytest.mark.parametrize("kind", CELLS)
def test_masks_that_are_fixed_and_say_lengths_are_lengths(kind: str) -> None:
    lengths = [3, 1, 4]
    new, report = check_rerolled(with_fixed_masks([[step < length for length in lengths] for step in range(4)], kind))
    assert report.operators == [kind]
    (node,) = (node for node in new.nodes if node.op.name == kind)
    told = node.inputs[4]
    assert isinstance(told, Constant) and told.value.tolist() == lengths


def test_a_mask_that_skips_steps_stays_a_loop_and_the_report_says_so() -> None:
    masks = [[True, True, True], [False, True, True], [True, True, False], [True, False, False]]
    _, report = check_rerolled(with_fixed_masks(masks))
    assert report.operators == ["Scan"]
    assert "a mask that skips steps" in str(report)


def test_masks_of_data_stay_a_loop_and_the_report_says_so() -> None:
    """Keras's Masking: a step counts where its features are not all zero."""
    x, cell = unroll.placeholder([None, 4, 3], "x"), CELLS["LSTM"]()
    state = cell.zero_state(ops.shape(x)[:1])
    for piece in ops.unstack(x, axis=1):
        _, new = cell(piece, state)
        valid = ops.not_equal(ops.reduce_sum(ops.abs(piece), [1]), 0.0)
        pairs = zip(unroll.nest.flatten(new), unroll.nest.flatten(state), strict=True)
        state = unroll.nest.pack(cell.state_size, [chosen(valid, *pair) for pair in pairs])
    _, report = check_rerolled(unroll.Graph([x], {"last": state.h}))
    assert report.operators == ["Scan"]
    assert "a mask that is not the number of the step against lengths" in str(report)
