"""What the page shows beyond one loop, in a real browser: loops before and after, attention, ways over steps, the sentence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from page_reading import Page, random_feeds
from picture_networks import NETWORKS

import unroll
from unroll.display import placed
from unroll.viz.dot_text import MINUS

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)
PAINTED = """
const canvas = document.getElementById('strips');
const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
const found = [];
for (let x = 0; x < canvas.width; x++) {
  let n = 0;
  for (let y = 0; y < canvas.height; y++) n += all[4 * (y * canvas.width + x) + 3] > 0;
  found.push(n / canvas.height);
}
return found;
"""


def labels_of(browser: Browser) -> list[str]:
    found = browser.run("return [...document.querySelectorAll('#open .box')].map((one) => one.ariaLabel)")
    return [str(label) for label in found]


def test_tracks_of_the_loop_before_stand_in_its_own_columns(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["example encoder_decoder"]()
    browser = shown(graph, random_feeds(graph), "t=7")
    assert "decoder" in browser.text("#open")
    painted = browser.run(PAINTED)  # how much of each line from top to bottom
    assert min(painted[130:440]) > 0.4, "the columns of the encoder"
    assert min(painted[470:780]) > 0.4, "the columns of the decoder"


def test_without_feeds_there_are_no_tracks_and_it_says_why(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["GRU"]()
    browser = shown(graph)
    assert max(browser.run(PAINTED)) == 0
    assert "give feeds" in browser.text("#net") and "reset gate" not in browser.text("#net")


def test_gates_that_are_computed_at_once_are_boxes_of_their_colours(shown: Callable[..., Browser]) -> None:
    for name, gates in {"GRU": "ru", "joined both ways": "ifo"}.items():
        graph = NETWORKS[name]()
        browser = shown(graph, random_feeds(graph), name=name)
        fills = browser.run(
            "return [...document.querySelectorAll('#open [data-parts] > [data-g]')]"
            ".map((one) => [one.dataset.g, one.querySelector('rect').getAttribute('fill')])"
        )
        assert [gate for gate, _ in fills] == list(gates)
        assert len({fill for _, fill in fills}) == len(gates) and all(fill.startswith("var(--g") for _, fill in fills)
        browser.click(f'#open [data-parts] > [data-g="{gates[1]}"] text')
        assert browser.link().count(f"g={gates[1]}") == 1
        assert "2 operators" in browser.text("#opened")


def test_attention_is_shown_as_arcs_with_the_weights_of_a_run(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["Bahdanau"]()
    feeds = random_feeds(graph)
    browser = shown(graph, feeds, "t=4&b=1")
    weights = [node for node in graph.nodes if node.op.name == "Softmax" and node.origin.step == 1]
    wanted = np.asarray(graph.run(feeds, weights[0].outputs[0]))[1].ravel()
    told = browser.texts("#net [data-arc] title")
    assert [text.split(":")[0] for text in told] == ["step 0", "step 1", "step 2"]
    np.testing.assert_allclose([float(text.split(": ")[1]) for text in told], wanted, atol=0.00501)
    browser.key("Home")
    assert browser.texts("#net [data-arc] title") == [], "the encoder attends to nothing"


def test_a_cell_that_attends_to_its_own_past_has_arcs_to_these_steps(shown: Callable[..., Browser]) -> None:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(4)]
    outputs, _ = unroll.static_rnn(unroll.cells.AttentionCellWrapper(unroll.GRUCell(3), 2), inputs)
    graph = unroll.Graph(inputs, outputs)  # the last step hands nothing on
    feeds = random_feeds(graph)
    browser = shown(graph, feeds, "t=3&b=1")
    weights = [node for node in graph.nodes if node.op.name == "Softmax"]
    wanted = np.asarray(graph.run(feeds, weights[3].outputs[0]))[1]
    told = browser.texts("#net [data-arc] title")
    assert [text.split(":")[0] for text in told] == ["step 1", "step 2"]
    np.testing.assert_allclose([float(text.split(": ")[1]) for text in told], wanted, atol=0.00501)
    browser.key("ArrowLeft", "ArrowLeft")
    assert [text.split(":")[0] for text in browser.texts("#net [data-arc] title")] == ["step 0"]
    browser.key("ArrowLeft")
    assert browser.texts("#net [data-arc] title") == [], "before the first step there is nothing"


def test_a_way_goes_over_steps_through_what_is_handed_on(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["image rows"]()
    browser = shown(graph, None, "t=5")
    place = {label.split(" =")[0]: at for at, label in enumerate(labels_of(browser))}
    browser.click(f'#open [data-box="{place["i"]}"] rect')
    browser.key("ArrowRight", "ArrowRight")
    browser.click(f'#open [data-box="{place["o"]}"] rect', shift=True)

    def off() -> set[str]:
        found = browser.run("return [...document.querySelectorAll('#open .box.off')].map((one) => one.ariaLabel)")
        return {label.split(" =")[0] for label in found}

    assert {"i", "j", "f", "c"} <= off() and not {"o", "kernel"} & off(), "it comes in as h"
    browser.key("ArrowLeft")
    assert not {"c", "h", "f"} & off(), "between, everything that c and h go through is on it"
    browser.key("ArrowLeft")
    assert {"f", "j", "kernel"} <= off() and not {"i", "c", "h"} & off(), "it begins at i"
    browser.key("ArrowLeft")
    assert {"i", "j", "f", "o", "c", "h"} & off() == set(), "before its first step nothing is dimmed"


def test_parts_of_the_sentence_open_with_their_numbers(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["layers stacked"]()
    feeds = random_feeds(graph)
    browser = shown(graph, feeds)
    number = browser.run(
        "const all = [...document.querySelectorAll('#pipe button')];"
        "const found = all.find((one) => one.textContent.startsWith('dense')); found.click(); return found.dataset.part"
    )
    opened = browser.text("#opened")
    assert "dense: 2 operators" in opened and "MatMul" in opened and "Add" in opened
    assert f"p={number}" in browser.link()
    shown_values = browser.texts("#opened .values")[-1].split()
    wanted = graph.run(feeds)[graph.output_names[0]][0]
    np.testing.assert_allclose([float(text.replace(MINUS, "-")) for text in shown_values], wanted, atol=0.00501)
    browser.key("Escape")
    assert browser.text("#opened") == ""
    assert browser.texts("#pipe .node.in")[-1].startswith("dense (batch, 2)"), "the output has its layer's name"


def test_the_pointer_is_told_the_number_under_it(shown: Callable[..., Browser]) -> None:
    wide = [unroll.placeholder([None, 300], f"x{step}") for step in range(3)]
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(200), wide)
    graph = unroll.Graph(wide, outputs)
    browser = shown(graph, random_feeds(graph))
    kernel = graph.parameters["rnn/basic_rnn_cell/kernel"].value
    browser.drag([(0, 0), (0, 0)])
    place = browser.run(
        "const b = document.querySelector('#side [data-map]').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]"
    )
    browser.drag([(int(place[0]) + 1, int(place[1]) + 1)])
    told = browser.text("#hover")
    assert told.startswith("kernel, rows 0 to 3, column 0: mean ")
    part = kernel[:4, :1]
    mean, largest = (float(text.replace(MINUS, "-")) for text in told.split("mean ")[1].split(", largest "))
    assert abs(mean - part.mean()) < 1e-3 and abs(largest - part.ravel()[np.abs(part).argmax()]) < 1e-3


def test_a_range_that_is_clipped_says_where_it_ends(shown: Callable[..., Browser]) -> None:
    inputs = [unroll.placeholder([None, 2], f"x{step}") for step in range(60)]
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(4, activation="linear"), inputs)
    graph = unroll.Graph(inputs, outputs)
    graph.parameters["rnn/basic_rnn_cell/kernel"].assign(np.vstack([np.ones((2, 4)), np.zeros((4, 4))]))
    feeds = {f"x{step}": np.full((1, 2), 40.0 if step == 30 else 0.5) for step in range(60)}
    browser = shown(graph, feeds)
    assert browser.texts("#net [data-clipped]") == ["colours end at ±1; 2% of the numbers lie beyond▸1"]


def test_what_counts_as_saturated_is_the_same_in_pictures(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["image rows"]()
    feeds = random_feeds(graph, batch=1)
    browser = shown(graph, feeds)
    texts = browser.run("return [...document.querySelectorAll('[data-percent]')].map((one) => one.textContent)")
    picture = unroll.draw_values(graph, feeds).svg
    for text in texts:
        assert text == "0%" or f", {text.replace('<', '&lt;').replace('>', '&gt;')} saturated" in picture
    gates = [np.asarray(placed(graph).run(feeds, f"rnn/t{step}/basic_lstm_cell/j")) for step in range(28)]
    share = (np.abs(np.stack(gates)) > 0.95).mean()
    assert texts[1] == ("0%" if share == 0 else "<1%" if share < 0.01 else f"{share:.0%}")


def test_what_shows_the_chosen_step_and_unit_on_the_axis_follows_them(shown: Callable[..., Browser]) -> None:
    x = unroll.placeholder([None, 6, 4], "x")
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(5), [x[:, step] for step in range(6)])
    graph = unroll.Graph([x], outputs)
    feeds = random_feeds(graph)
    browser = shown(graph, feeds, "t=2&u=0&v=1-4", name="wide")
    for _ in range(2):
        unit = int(dict(part.split("=") for part in browser.link().split("&"))["u"])
        wanted = graph.run(feeds, "rnn/t2/basic_lstm_cell/f")[0, unit]
        texts = browser.texts('#net [role="img"] g[data-g="f"] text')
        assert f"{wanted:.2f}" in texts[1::2]
        browser.key("ArrowDown")
    graph = NETWORKS["Bahdanau"]()
    browser = shown(graph, random_feeds(graph), "t=4", name="attention")
    arcs = "return [...document.querySelectorAll('#net [data-arc]')].map((one) => one.getAttribute('d'))"
    before = browser.run(arcs)
    browser.key("ArrowLeft")
    assert before and browser.run(arcs) and browser.run(arcs) != before


def test_an_operator_that_was_opened_by_a_key_keeps_the_focus(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["GRU"]()
    browser = shown(graph, random_feeds(graph))
    browser.run("document.querySelector('#open .box').focus()")
    browser.key("Enter", "ArrowRight")
    assert browser.run("return document.activeElement.dataset.box") == "0"
    assert "box=" not in browser.link() and "o=0" in browser.link()


def test_a_window_of_many_cells_is_few_elements(shown: Callable[..., Browser]) -> None:
    """A frame of a zoom draws them all anew, and has 17 ms."""
    x = unroll.placeholder([None, 120, 4], "x")
    graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)[0]})
    browser = shown(graph, random_feeds(graph), "t=45&v=20-70")
    assert browser.run("return document.querySelectorAll('#net *').length") < 130
    squares = browser.run("return document.querySelector('#net .cells').getAttribute('d').match(/M/g).length")
    assert squares == 50


def test_rows_that_read_each_other_are_joined_and_two_directions_are_not(shown: Callable[..., Browser]) -> None:
    page = {}
    for name in ("stacked", "both ways", "stack_bidirectional_rnn", "layers with branches"):
        page[name] = [row["reads"] for row in Page(unroll.view(NETWORKS[name]()).html).data["rows"] if row["path"]]
    assert page["stacked"] == [[], [0]]
    assert page["both ways"] == page["layers with branches"] == [[], []]
    assert page["stack_bidirectional_rnn"] == [[], [], [0, 1], [0, 1]]


def test_a_tensor_of_one_number_is_that_number_and_lengths_are_no_track(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["tf2onnx lengths"]()
    feeds = random_feeds(graph)
    browser = shown(graph, feeds, "t=1&b=1")
    (lengths,) = [array for name, array in feeds.items() if name.startswith("lengths")]
    said = browser.texts('#open [data-key^="source"]')
    assert [text for text in said if text.startswith("min")] == [f"min{lengths.min()}"], (
        "what the graph makes of lengths"
    )
    ended = [text for text in said if text.startswith("mask 2")]
    assert ended == [f"mask 2{bool(lengths[1] <= 1)}".lower()]
    page = Page(unroll.view(graph, feeds=feeds).html)
    assert [track["name"] for track in page.data["rows"][0]["tracks"]] == ["X", "c", "h", "Y"]


def test_inputs_with_an_axis_before_the_batch_are_shown_row_by_row() -> None:
    graph = NETWORKS["rerolled Scan"]()
    page = Page(unroll.view(graph, feeds=random_feeds(graph)).html)
    track = page.data["rows"][0]["tracks"][0]
    values, _ = page.values(0, track["slot"]) or (np.zeros(0), None)
    assert track["kind"] == "input" and values.shape == (3, 4, 4)
