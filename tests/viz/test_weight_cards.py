"""The cards of weights: each weight has its own line where operators are boxes, none is lost, and rearranged ones say so."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from drawn_programs import dashed, image_rows, over_steps, parsed, places, texts
from picture_networks import NETWORKS

import unroll
from unroll import cells
from unroll.trials.trial_feeds import trial_feeds
from unroll.viz import drawing
from unroll.viz.panel_places import best_arrangement
from unroll.viz.placement import Rectangle


def lines_of(picture: unroll.Picture) -> list[tuple[str, str, float]]:
    """Each dashed line of a card: the card, the box that it reaches, and the height at which it begins."""
    graph = parsed(picture)
    found = []
    for edge in graph.edges():
        if edge[0].startswith("weights_"):
            ends = [tuple(map(float, point.split(","))) for point in re.findall(r"[-\d.]+,[-\d.]+", edge.attr["pos"])]
            start = ends[1] if edge.attr["pos"].startswith("e,") else ends[0]
            found.append((str(edge[0]), str(edge[1]), start[1]))
    return found


@pytest.mark.usefixtures("every_operator")
@pytest.mark.parametrize(
    "name", ["GRU", "peepholes", "norms", "Keras, masked", "PyTorch, both ways", "attention", "cell NAS", "one step"]
)
def test_each_weight_of_an_opened_cell_has_a_line_of_its_own(name: str) -> None:
    graph = NETWORKS[name]()
    begins: dict[str, set[float]] = {}
    for card, _, height in lines_of(unroll.draw(graph, level="op", format="dot")):
        begins.setdefault(card, set()).add(round(height, 1))
    drawn = sum(len(heights) for heights in begins.values())
    assert drawn == len(graph.parameters)


@pytest.mark.parametrize(
    "cell", [unroll.BasicLSTMCell(3), unroll.GRUCell(3), cells.UGRNNCell(3), unroll.BasicRNNCell(3)]
)
@pytest.mark.parametrize("level", ["cell", "op"])
def test_one_step_has_its_card_too(cell: unroll.RNNCell, level: str) -> None:
    graph = over_steps(cell, 1)
    shown = texts(unroll.draw(graph, level=level))  # type: ignore[arg-type]
    assert "one set of weights for the one step" in shown
    assert all(item.name.split(f"{cell.name}/")[1] in shown for item in graph.parameters.values())


def test_a_line_begins_at_the_height_of_its_weights_heading() -> None:
    picture = unroll.draw(over_steps(unroll.GRUCell(6)), level="op")
    heights = {height for _, _, height in lines_of(picture)}
    low = float(re.search(r'height="([\d.]+)pt"', picture._repr_svg_())[1])
    shown = re.findall(
        r'<text[^>]*y="(-?[\d.]+)"[^>]*>((?:gates|candidate)/(?:kernel|bias))</text>', picture._repr_svg_()
    )
    assert len(shown) == 4 and low > 0
    # Of a text the base line is given, some points under its middle; graphviz's own heights run up from the lowest point.
    steps = sorted(-float(y) for y, _ in shown)
    begun = sorted(heights)
    assert len(begun) == 4
    offsets = [one - other for one, other in zip(begun, steps, strict=True)]
    assert max(offsets) - min(offsets) < 6


def test_weights_rearranged_once_are_no_boxes_and_their_card_says_what_was_done() -> None:
    graph = unroll.optimize(over_steps(unroll.BasicLSTMCell(3)))
    for level in ("cell", "op"):
        shown = texts(unroll.draw(graph, level=level))  # type: ignore[arg-type]
        assert "Slice" not in shown and "constant" not in shown
        # The first step has no state: it reads the rows of x alone.
        assert [text for text in shown if text.startswith("made once")] == [
            "made once from kernel: rows cut; columns reordered",
            "made once from bias: summed, reordered",
        ]


@pytest.mark.parametrize("network", ["optimized both ways", "joined both ways", "optimized masked"])
def test_a_card_says_once_what_was_done_to_a_kind_of_weight(network: str) -> None:
    picture = parsed(unroll.draw(NETWORKS[network](), format="dot"))
    for card in (node.attr["label"] for node in picture.nodes() if node.startswith("weights_")):
        said = re.findall(r"made once from ([^:<]*):", card)
        assert len(said) == len(set(said))


@pytest.mark.parametrize("level", ["cell", "op"])
def test_a_row_of_a_bias_that_a_pass_has_cut_for_several_steps_is_no_box(level: str) -> None:
    picture = parsed(unroll.draw(NETWORKS["optimized masked"](), level=level, format="dot"))  # type: ignore[arg-type]
    assert not [node for node in picture.nodes() if "<B>Gather</B>" in (node.attr["label"] or "")]
    framed = [part for part in picture.subgraphs() if "gru_cell" in (part.graph_attr["label"] or "")]
    assert len(framed) == (3 if level == "op" else 0), "a frame for each of the three steps"


def test_vectors_of_one_gate_are_told_apart_by_their_names() -> None:
    (card,) = _cards(NETWORKS["cell PhasedLSTM"]())
    blocks = re.findall(r">([\w ]+)<FONT[^>]*><SUB>k</SUB>", card)
    assert blocks == ["phase", "period", "ratio_on"]
    (peepholes,) = _cards(NETWORKS["peepholes"]())
    assert re.findall(r">w<FONT[^>]*><SUB>(\w)</SUB>", peepholes) == ["f", "i", "o"]


def test_the_kernel_of_a_convolution_says_its_window() -> None:
    shown = texts(unroll.draw(NETWORKS["layers ConvLSTM2D"]()))
    assert [text for text in shown if "window" in text] == [
        "(3, 3, 1, 8) window 3 \u00d7 3",
        "(3, 3, 2, 8) window 3 \u00d7 3",
    ]


def test_a_layer_after_the_last_step_has_no_weights_for_a_step() -> None:
    graph = NETWORKS["layers SimpleRNN and Dense"]()  # printed, its kernel is too high to stand beside it
    cards = {"dense" in card: card for card in _cards(graph, trial_feeds(graph, dims={"batch": 1})[0])}
    assert "one set of weights for all 3 steps" in cards[False]
    assert "one set of weights" not in cards[True]


def test_weights_that_operators_outside_of_cells_read_have_a_line_each() -> None:
    picture = unroll.draw(NETWORKS["Bahdanau"](), format="dot")
    graph = parsed(picture)
    (attention,) = (str(node) for node in graph.nodes() if "<B>attention</B>" in (node.attr["label"] or ""))
    begun = {end: height for card, end, height in lines_of(picture) if card == attention}
    assert len(begun) == 4 and len(set(begun.values())) == 2, "query and score, at each of the two steps"


def _cards(graph: unroll.Graph, feeds: dict[str, Any] | None = None) -> list[str]:
    picture = parsed(unroll.draw(graph, feeds=feeds, format="dot"))
    return [node.attr["label"] for node in picture.nodes() if node.startswith("weights_")]


def test_every_operator_that_reads_a_rearranged_weight_is_reached_from_its_card() -> None:
    picture = unroll.draw(unroll.optimize(over_steps(unroll.BasicLSTMCell(3))), level="op", format="dot")
    graph = parsed(picture)
    products = {str(node) for node in graph.nodes() if "<B>Gemm</B>" in (node.attr["label"] or "")}
    assert len(products) == 4
    assert dashed(graph, "weights_0") == products


def test_directions_that_were_joined_have_one_card_with_gate_colours() -> None:
    graph = NETWORKS["joined both ways"]()
    picture = parsed(unroll.draw(graph, format="dot"))
    cards = [node.attr["label"] for node in picture.nodes() if node.startswith("weights_")]
    assert len(cards) == 1
    assert "made once from" in cards[0] and "joined" in cards[0]
    blocks = re.findall(r'<TD BGCOLOR="(#\w+)"[^>]*><FONT[^>]*>W<FONT[^>]*><SUB>x(\w)</SUB>', cards[0])
    assert sorted(gate for _, gate in blocks) == sorted("ifco" * 2)
    assert len(set(blocks)) == 4, "a gate has one colour in both directions"
    operators = {node.attr["label"] for node in picture.nodes() if node.startswith("op_")}
    assert not any("<B>Slice</B>" in label for label in operators)


def test_a_first_state_that_is_a_weight_stays_a_box() -> None:
    table, ids = unroll.Parameter(np.ones((5, 3), "float32"), "table"), unroll.placeholder([2, 2], "ids", "int64")
    first = unroll.ops.gather(table, unroll.constant(np.zeros(2, "int64")))
    inputs = unroll.ops.unstack(unroll.ops.cast(ids, "float32"), axis=1)
    outputs, _ = unroll.static_rnn(
        unroll.GRUCell(3), [unroll.ops.unsqueeze(x, [1]) for x in inputs], initial_state=first
    )
    assert "Gather" in texts(unroll.draw(unroll.Graph([ids], {"last": outputs[-1]})))


def test_a_value_that_is_too_large_has_a_mark_that_is_explained_once() -> None:
    graph = image_rows(2)
    feeds = {"images": np.random.default_rng(0).normal(size=(64, 56)).astype("float32")}
    for level in ("cell", "op"):
        shown = texts(unroll.draw(graph, level=level, feeds=feeds))  # type: ignore[arg-type]
        assert shown.count("\u2026") >= 2 and sum("too large" in text for text in shown) == 1
        told = next(text for text in shown if "too large" in text)
        assert told.startswith("\u2026 in blue") and "12 numbers" in told and "8 rows" in told
    assert "h = \u2026" in texts(unroll.draw(graph, feeds=feeds))
    assert not any("too large" in text for text in texts(unroll.draw(graph)))


def test_a_picture_that_prints_every_value_explains_no_mark() -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = unroll.Graph([x], {"y": unroll.ops.tanh(x)})
    shown = texts(unroll.draw(graph, feeds={"x": np.ones((1, 3), "float32")}))
    assert "all 1" in shown or "1, 1, 1" in shown
    assert not any("\u2026" in text for text in shown)


def test_an_empty_value_says_so() -> None:
    graph = over_steps(unroll.BasicRNNCell(3), 1)
    assert "(0, 4): empty" in texts(unroll.draw(graph, feeds={"X0": np.zeros((0, 4), "float32")}))


# -- where cards stand -------------------------------------------------------------------------------------------------


def test_cards_stand_where_the_page_can_be_shown_largest() -> None:
    wide, high = [Rectangle(500, 50, 1000, 100)], [Rectangle(50, 500, 100, 1000)]
    sizes = [((300.0, 200.0), (200.0, 300.0))]
    below = best_arrangement(sizes, wide, [[10.0]], -60.0, 1, [], False)
    assert not below.beside and below.places[0].top <= -60
    beside = best_arrangement(sizes, high, [[500.0]], -60.0, 1, [], False)
    assert beside.beside and beside.places[0].right < 0 and beside.places[0].bottom >= 0


def test_of_places_where_the_page_is_shown_about_as_large_cards_take_the_one_that_leaves_less_blank() -> None:
    boxes = [Rectangle(350, 150, 700, 300)]
    # Below: 700 by 580, of which 3/4 of the lower part is blank. Beside: 970 by 300.
    found = best_arrangement([((200.0, 220.0), (200.0, 220.0))], boxes, [[100.0]], -60.0, 1, [], False)
    assert found.beside


@pytest.mark.parametrize("network", ["cell BasicRNN", "four states", "example encoder_decoder", "both ways"])
def test_cards_that_would_leave_a_third_of_the_picture_blank_beside_them_stand_beside_the_cells(network: str) -> None:
    graph = NETWORKS[network]()
    drawn = parsed(unroll.draw(graph, feeds=trial_feeds(graph, dims={"batch": 1})[0], format="dot"))
    place = places(drawn)
    cards = [place[node][0] for node in drawn.nodes() if node.startswith("weights_")]
    assert max(cards) < min(x for node, (x, _) in place.items() if node.startswith("cell_"))


@pytest.mark.parametrize("count", [1, 2, 5, 9])
@pytest.mark.parametrize("opened", [False, True])
def test_cards_never_overlap_and_keep_clear_of_the_picture(count: int, opened: bool) -> None:
    for boxes in ([Rectangle(500, 50, 1000, 100)], [Rectangle(50, 500, 100, 1000)], [Rectangle(0, 0, 40, 40)]):
        sizes = [((300.0 + 10 * place, 200.0), (200.0, 300.0 - 5 * place)) for place in range(count)]
        found = best_arrangement(sizes, boxes, [[40.0]] * count, -60.0, count, [], opened)
        every = [*found.places, *boxes]
        for place, one in enumerate(every):
            for other in every[:place]:
                apart = one.left >= other.right or other.left >= one.right
                assert apart or one.bottom >= other.top or other.bottom >= one.top


@pytest.mark.usefixtures("every_operator")
@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", ["by hand", "layers without recurrence", "layers Embedding", "NumPy style"])
def test_weights_outside_of_cells_are_all_cards_or_all_small_boxes(network: str, level: drawing.Level) -> None:
    graph = NETWORKS[network]()
    nodes = parsed(
        unroll.draw(graph, level=level, feeds=trial_feeds(graph, dims={"batch": 1})[0], format="dot")
    ).nodes()
    cards = [node for node in nodes if node.startswith("weights_")]
    boxes = [node for node in nodes if node.startswith("weight_")]
    # With all its operators drawn, the third has small boxes alone, and a card for its cell.
    assert (cards and not boxes) or (len(cards) == 1 and len(boxes) == 3)


def test_weights_of_a_layer_after_cells_stay_small_boxes() -> None:
    nodes = parsed(unroll.draw(NETWORKS["layers SimpleRNN and Dense"](), level="op", format="dot")).nodes()
    assert sum(node.startswith("weight_") for node in nodes) == 2


@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("network", ["image rows", "joined both ways", "layers without recurrence", "one step"])
def test_the_note_on_large_values_stands_on_nothing_and_lowest(network: str, level: drawing.Level) -> None:
    graph = NETWORKS[network]()
    picture = unroll.draw(graph, level=level, feeds=trial_feeds(graph, dims={"batch": 1})[0], format="dot")
    heights = {name: y for name, (_, y) in places(parsed(picture)).items()}
    assert "note" in heights and min(heights, key=heights.__getitem__) == "note"
