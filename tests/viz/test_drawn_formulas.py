"""Every formula in every picture is true: evaluated with NumPy, its names looked up among the labels that the picture has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from formula_parser import value_of
from helpers import Array
from over_time_networks import OVER_TIME
from picture_networks import NETWORKS, read_back
from picture_reading import Box, Reading, read
from random_networks import random_network

import unroll
from unroll.passes.join_cells import join_cells
from unroll.passes.pipeline import PASSES
from unroll.tensor import Constant, Tensor
from unroll.viz import sheet_writer, shown_steps
from unroll.viz.details import LADDER, WHOLE, Detail
from unroll.viz.scan_bodies import scan_bodies

_FARTHEST, _MOST_TRIED = 7, 200_000


def check_formulas(reading: Reading) -> int:
    """Check every formula of a picture; return how many say everything."""
    whole = 0
    for box in reading.boxes:
        if box.node is None or not box.formula.text or "\u2026" in box.formula.text:
            continue
        if any((box.cell, int(step)) in reading.unsaid for step in re.findall(r"\[(\d+)\]", box.formula.text)):
            continue
        want = reading.values[box.node.outputs[0]]
        blanks = box.formula.text.count("\u00b7")
        found = any(is_so(box.formula.text, look_up, want) for look_up in readings(reading, box, blanks))
        assert found, f"{box.tip}: {box.lines} is not so"
        whole += not blanks
    return whole


def readings(reading: Reading, box: Box, blanks: int) -> Iterator[Callable[[str], Array]]:
    """Yield every way to read a formula: each operand without a name may be anything that the node is computed from."""
    near = [
        tensor.value if isinstance(tensor, Constant) else reading.values[tensor]
        for tensor in (before(box) if blanks else ())
    ]
    for values in itertools.islice(itertools.product(near, repeat=blanks), _MOST_TRIED):
        left = iter(values)
        yield lambda name, left=left: _found(name, left, reading, box)  # type: ignore[misc]


def _found(name: str, left: Iterator[Array], reading: Reading, box: Box) -> Array:
    if not name.startswith("\u00b7"):
        return reading.look_up(box, name)
    return next(left).T if name.endswith("^T") else next(left)


def before(box: Box) -> list[Tensor]:
    """Return what a box's node is computed from, the nearest first."""
    found: dict[Tensor, None] = {}
    layer = [box.node]
    for _ in range(_FARTHEST):
        read = [tensor for node in layer if node is not None for tensor in node.inputs if tensor is not None]
        found |= dict.fromkeys(read)
        layer = [tensor.node for tensor in read]
    return list(found)


def is_so(text: str, look_up: Callable[[str], Array], wanted: Array) -> bool:
    """Say whether a formula has a value, to the digits that a picture prints of numbers."""
    try:
        with np.errstate(all="ignore"):
            found = value_of(text, look_up, wanted.shape[-1] if wanted.ndim else 1)
        shape = np.broadcast_shapes(found.shape, wanted.shape)
    except (ValueError, IndexError, TypeError):  # what is read does not fit together
        return False
    return shape == wanted.shape and bool(np.allclose(found, wanted, rtol=1e-3, atol=1e-5, equal_nan=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_formula_of_every_network_is_true(name: str) -> None:
    check_formulas(read(NETWORKS[name](), level="op", full=True))


@pytest.mark.parametrize("name", OVER_TIME)
def test_every_formula_in_a_loop_is_true(name: str) -> None:
    for body in scan_bodies(OVER_TIME[name]()).values():
        assert check_formulas(read(body.graph, level="op", full=True))


#: What is made of a network before it is drawn.
CHANGED: dict[str, Callable[[unroll.Graph], unroll.Graph]] = {
    "as traced": lambda graph: graph,
    "optimised": unroll.optimize,
    "optimised for many rows": lambda graph: unroll.optimize(graph, batch=64),
    "joined": join_cells,
    "re-rolled": lambda graph: unroll.reroll(graph)[0],
    "read back": read_back,
    "read back, optimised": lambda graph: unroll.optimize(read_back(graph)),
}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("change", CHANGED)
def test_every_formula_of_random_networks_is_true(change: str, seed: int) -> None:
    graph, _ = random_network(seed, steps=3)
    check_formulas(read(CHANGED[change](graph), level="op", full=True))


@pytest.mark.parametrize("name", PASSES)
def test_every_formula_is_true_after_each_pass(name: str) -> None:
    for network in ("GRU", "Keras, both ways", "layers masked LSTM", "cell LSTM, clipped and projected"):
        check_formulas(read(PASSES[name](NETWORKS[network]()), level="op", full=True))


@pytest.mark.usefixtures("every_operator")
@pytest.mark.parametrize("network", ["image rows", "layers LSTM, 28 steps", "two loops", "example encoder_decoder"])
def test_formulas_are_the_same_where_steps_are_left_out(network: str) -> None:
    said = [
        {box.tip: box.formula for box in read(NETWORKS[network](), level="op", full=full).boxes if box.node is not None}
        for full in (False, True)
    ]
    assert said[0].keys() <= said[1].keys()
    assert said[0] == {tip: said[1][tip] for tip in said[0]}


@pytest.mark.parametrize("detail", LADDER[1:], ids=range(1, len(LADDER)))
@pytest.mark.parametrize("name", ["layers LSTM", "layers stacked", "PyTorch, both ways", "Bahdanau", "norms"])
def test_every_formula_is_true_where_operators_share_boxes(
    name: str, detail: Detail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of whichever detail, and however long: names lead to boxes, or stand beside the lines of closed cells."""
    check_formulas(drawn_in(NETWORKS[name](), detail, monkeypatch))


@pytest.mark.sampled(8)
@pytest.mark.slow
@pytest.mark.parametrize("detail", LADDER[1:], ids=range(1, len(LADDER)))
@pytest.mark.parametrize("name", NETWORKS)
def test_every_formula_of_every_network_is_true_where_operators_share_boxes(
    name: str, detail: Detail, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_formulas(drawn_in(NETWORKS[name](), detail, monkeypatch))


def drawn_in(graph: unroll.Graph, detail: Detail, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Return the picture with no more than that detail, of all steps: what a name means is seen only where it is made."""
    monkeypatch.setattr(sheet_writer, "LADDER", (WHOLE, detail._replace(few=False)))
    monkeypatch.setattr(sheet_writer, "excess_of", lambda scene: 2.0 if scene.detail is WHOLE else 1.0)
    for room in ("_FEW", "_FEWEST"):
        monkeypatch.setattr(shown_steps, room, (100, 0, 0))
    return read(graph, level="op")


def test_the_pieces_of_a_joined_split_are_named_each_by_itself() -> None:
    reading = read(NETWORKS["optimized BasicLSTM"](), level="op", full=True)
    texts = [box.formula.text for box in reading.boxes if box.step in (1, 2, 3)]
    assert texts.count("tanh(c) \u00d7 o") == 3
    assert [text for text in texts if text.startswith("c[")][1::2] == [
        f"c[{step}] \u00d7 f + i \u00d7 j" for step in range(3)
    ]
    assert check_formulas(reading) > 20
