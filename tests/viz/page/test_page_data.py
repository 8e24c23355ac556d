"""Every number of a page is one that `graph.run` computed, whatever network it shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from large_graphs import many_different_steps, many_operators
from page_reading import Page, check_numbers, random_feeds
from picture_networks import NETWORKS
from random_networks import random_network

import unroll
from unroll.viz.page.planes import Planes
from unroll.viz.page.values import MOST_WHOLE

#: A page without anything but numbers.
PAGE = '<script type="application/json" id="data">{{}}</script><script type="text/plain" id="numbers">{}</script>'


@pytest.mark.parametrize("name", NETWORKS)
def test_every_number_is_that_of_a_run(name: str) -> None:
    graph = NETWORKS[name]()
    recurrent = any(row["path"] for row in Page(unroll.view(graph).html).data["rows"])
    assert check_numbers(graph, random_feeds(graph)) > (0 if recurrent else -1)


@pytest.mark.parametrize("name", ["layers Attention", "layers one step", "lengths"])
def test_states_have_a_number_at_every_step_the_last_one_too(name: str) -> None:
    graph = NETWORKS[name]()
    page = Page(unroll.view(graph, feeds=random_feeds(graph)).html)
    for number, row in enumerate(page.data["rows"]):
        states = {
            track["name"]: page.values(number, track["slot"]) for track in row["tracks"] if track["kind"] == "state"
        }
        assert not row["path"] or list(states) == row["states"] == ["c", "h"]
        assert all(values[0].shape[1] == row["steps"] for values in states.values())


def test_an_output_that_is_zeros_past_a_row_s_end_is_no_state() -> None:
    graph = NETWORKS["lengths"]()
    (row,) = [row for row in Page(unroll.view(graph).html).data["rows"] if row["path"]]
    for template in row["templates"]:
        assert [port["name"] for port in template["ports"] if port["kind"] == "handed"] == ["c", "h"]


def test_the_output_that_a_masked_layer_keeps_is_not_called_its_state() -> None:
    (row, *_) = Page(unroll.view(NETWORKS["layers masked LSTM"]()).html).data["rows"]
    first, middle, last = [[port["name"] for port in template["ports"]] for template in row["templates"]]
    assert sorted(first) == sorted(middle) == ["c", "h", "output"] and last == ["output"]
    read = [source["name"] for source in row["templates"][1]["sources"] if source["kind"] == "state"]
    assert sorted(read) == ["c", "h", "output"]


def test_labels_of_outputs_are_without_their_path_and_number() -> None:
    (row,) = [row for row in Page(unroll.view(NETWORKS["norms"]()).html).data["rows"] if row["path"]]
    assert [template["boxes"][-1]["label"] for template in row["templates"]] == ["h", "h"]


def test_a_weight_that_is_only_turned_for_a_product_is_part_of_its_kernel() -> None:
    (row,) = [row for row in Page(unroll.view(NETWORKS["layers ConvLSTM2D"]()).html).data["rows"] if row["path"]]
    for template in row["templates"]:
        (kernel,) = [box for box in template["boxes"] if box["kind"] == "kernel"]
        assert sorted(template["ops"][at]["op"] for at in kernel["nodes"]).count("Conv") == 2
        assert len(kernel["weights"]) == 3


@pytest.mark.parametrize("seed", range(25))
def test_every_number_of_a_random_network_is_that_of_a_run(seed: int) -> None:
    graph, feeds = random_network(seed)
    assert check_numbers(graph, feeds) > 0


def test_a_long_sequence_has_all_its_steps_in_two_templates() -> None:
    inputs = [unroll.placeholder([None, 5], f"x{step}") for step in range(120)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(7), inputs)
    graph = unroll.Graph(inputs, outputs)
    feeds = random_feeds(graph)
    page = Page(unroll.view(graph, feeds=feeds).html)
    row, *_ = page.data["rows"]
    assert row["runs"] == [[0, 0, 0], [1, 1, 119]]
    assert page.data["values"]["short"], f"more than {MOST_WHOLE} numbers"
    assert check_numbers(graph, feeds) > MOST_WHOLE


def test_a_number_of_two_bytes_is_shown_as_the_number_itself_is() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate(
        [rng.normal(0, 1, 4000), rng.normal(0, 9, 4000).clip(-32, 32), [0.125, 0.995, -0.005, 0.0049999, 1.0, 0.0]]
    )
    for part in (values, values[np.abs(values) < 3], values[np.abs(values) < 0.3]):
        numbers = np.asarray(part, np.float32)
        planes = Planes()
        where = planes.add(numbers, short=True)
        page = Page(PAGE.format(planes.text()))
        shown = page.plane(where["at"], where["n"], where["d"])
        digits = where["d"] - 1
        exact = [abs(float(one) * 10**digits % 1) == 0.5 for one in numbers]  # halves may go either way
        told = [f"{one:.{digits}f}" for one in shown]
        wanted = [f"{float(one):.{digits}f}" for one in numbers]
        assert all(
            half or one.lstrip("-") == other.lstrip("-") for one, other, half in zip(told, wanted, exact, strict=True)
        )


def test_nan_and_infinities_stay_what_they_are_and_are_counted() -> None:
    x = unroll.placeholder([None, 3], "x")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(4), [x, x])
    graph = unroll.Graph([x], outputs)
    graph.parameters["rnn/gru_cell/gates/bias"].assign([np.nan, np.inf, -np.inf, 0, 0, 0, 0, 0])
    page = Page(unroll.view(graph, feeds={"x": [[np.nan, 1, 2]]}).html)
    assert next(item for item in page.data["parameters"] if item["name"].endswith("gates/bias"))["odd"] == 3
    assert {track["name"]: track["odd"] for track in page.data["rows"][0]["tracks"]}["h"] == 8


@pytest.mark.parametrize(
    ("cell", "titles"),
    [
        (unroll.BasicLSTMCell, {"i": "input gate", "j": "candidate", "f": "forget gate", "o": "output gate"}),
        (unroll.GRUCell, {"r": "reset gate", "u": "update gate", "c": "candidate"}),
    ],
)
def test_a_gate_is_what_its_activation_makes(cell: Any, titles: dict[str, str]) -> None:
    x = unroll.placeholder([None, 3], "x")
    row, *_ = Page(unroll.view(unroll.Graph([x], unroll.static_rnn(cell(4), [x, x])[0])).html).data["rows"]
    assert {track["name"]: track["title"] for track in row["tracks"] if track["kind"] == "gate"} == titles


def over_four_steps() -> tuple[unroll.Graph, dict[str, Any]]:
    inputs = [unroll.placeholder([None, 3], f"x{step}") for step in range(4)]
    outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(2), inputs)
    graph = unroll.Graph(inputs, {"y": outputs, "c": state.c})
    return graph, random_feeds(graph)


def test_what_was_expected_is_a_track_of_differences() -> None:
    graph, feeds = over_four_steps()
    wanted = graph.run(feeds)
    wanted["y/2"] = wanted["y/2"] + np.float32(0.25)
    data = Page(html := unroll.view(graph, feeds=feeds, expected=wanted).html).data
    assert data["expected"] == {"largest": "0.25", "output": "y/2", "order": ""}
    (track,) = [track for track in data["rows"][0]["tracks"] if track["kind"] == "difference"]
    found = Page(html).values(0, track["slot"])
    assert found is not None
    np.testing.assert_allclose(found[0], np.tile(np.array([0, 0, 0.25, 0])[None, :, None], (3, 1, 2)), atol=1e-6)


def test_a_stack_of_all_steps_is_compared_step_by_step() -> None:
    graph = NETWORKS["lengths"]()
    feeds = random_feeds(graph)
    wanted = graph.run(feeds)
    wanted["rnn/outputs"] = wanted["rnn/outputs"] + np.arange(4, dtype=np.float32)[None, :, None]
    page = Page(unroll.view(graph, feeds=feeds, expected=wanted).html)
    (track,) = [track for track in page.data["rows"][0]["tracks"] if track["kind"] == "difference"]
    found = page.values(0, track["slot"])
    assert found is not None
    np.testing.assert_allclose(found[0][0, :, 0], [0, 1, 2, 3], atol=1e-5)


@pytest.mark.parametrize(
    ("expected", "fed", "error", "said"),
    [
        ({"y/0": [[1, 2]]}, False, unroll.UnrollError, "feeds"),
        ({"z": [[1, 2]]}, True, unroll.UnrollError, "'z', which is no output"),
        ({"y/0": [[1, 2]]}, True, unroll.UnrollError, r"\(3, 2\) is wanted"),
    ],
)
def test_what_cannot_be_compared_is_refused(expected: Any, fed: bool, error: type[Exception], said: str) -> None:
    graph, feeds = over_four_steps()
    with pytest.raises(error, match=said):
        unroll.view(graph, feeds=feeds if fed else None, expected=expected)


def pytorch_columns_in_another_order() -> tuple[unroll.Graph, dict[str, Any], dict[str, Any]]:
    """A cell that was given PyTorch's columns as if they were TensorFlow's, its feeds, and what PyTorch's cell gives."""
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 4, 3)), rng.normal(size=(8, 20))
    right = unroll.BasicLSTMCell(5, forget_bias=0.0)
    right.set_weights(kernel, np.zeros(20), gate_order="ifgo")
    placeholder = unroll.placeholder([2, 4, 3], "x")
    wanted = unroll.Graph([placeholder], {"y": unroll.dynamic_rnn(right, placeholder)[0]}).run({"x": x})
    wrong = unroll.BasicLSTMCell(5)
    wrong.set_weights(kernel, np.zeros(20))
    return unroll.Graph([placeholder], {"y": unroll.dynamic_rnn(wrong, placeholder)[0]}), {"x": x}, wanted


def test_weights_in_another_order_of_gates_are_named() -> None:
    graph, feeds, wanted = pytorch_columns_in_another_order()
    told = Page(unroll.view(graph, feeds=feeds, expected=wanted).html).data["expected"]
    assert told["order"].startswith("What is expected fits gate order i, f, j, o, forget bias 0: off by at most ")
    own = Page(unroll.view(graph, feeds=feeds, expected=graph.run(feeds)).html).data["expected"]
    assert own == {"largest": "0", "output": "y", "order": ""}


def test_what_is_too_much_to_lay_out_is_bounded_and_said() -> None:
    graph = many_different_steps()
    row, *_ = Page(unroll.view(graph).html).data["rows"]
    laid_out = [bool(template["ops"]) for template in row["templates"]]
    assert laid_out == [True] * 48 + [False] * 12
    assert check_numbers(graph, random_feeds(graph)) > 0
    row, *_ = Page(unroll.view(many_operators()).html).data["rows"]
    assert len(row["templates"][0]["ops"]) == 240 and row["left_out"] == 4000 - 240


def test_what_is_told_of_a_file_does_not_grow_with_its_steps() -> None:
    """Others cut one input apart, join the outputs, and number all operators in one row: no step needs a line of its own."""

    def told(steps: int) -> tuple[int, Page]:
        x = unroll.placeholder([None, steps, 4], "x")
        outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)
        model = unroll.to_onnx(unroll.Graph([x], {"y": outputs}), form="unrolled")
        del model.metadata_props[:]
        for number, node in enumerate(model.graph.node):
            del node.metadata_props[:]
            node.name, node.doc_string = f"op_{number}_of_all", ""
        graph = unroll.from_onnx(model)
        page = Page(unroll.view(graph, feeds=random_feeds(graph)).html)
        return len(json.dumps(page.data)), page

    (short, _), (long, page) = told(60), told(300)
    assert long < 1.1 * short
    (beside,) = (row for row in page.data["rows"] if row["around"])
    parted, joined = beside["templates"][0]["ops"]
    assert (parted["op"], len(parted["slots"]), parted["more"]) == ("Split", 24, 276)
    assert (joined["op"], len(joined["in"]), joined["in"][-1]) == ("Concat", 25, ["c", "276 more"])


def test_outputs_of_steps_are_one_track_by_the_name_that_they_share() -> None:
    graph = NETWORKS["tf2onnx lengths"]()
    page = Page(unroll.view(graph, feeds=random_feeds(graph)).html)
    (row,) = (row for row in page.data["rows"] if row["path"])
    assert [track["name"] for track in row["tracks"] if track["kind"] == "output"] == ["Y"]
