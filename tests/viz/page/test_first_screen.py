"""The first screen in a real browser: nothing is clicked, and it says what the network is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from large_graphs import many_different_steps, many_operators
from page_reading import Page, random_feeds
from picture_networks import NETWORKS

import unroll
from unroll.viz.dot_text import MINUS, SIGMA, TIMES

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)


class Said(NamedTuple):
    """What the first screen of a network must say: written by hand, from the network's own program."""

    steps: str
    cell: str
    units: str
    kernel: str
    order: str
    inputs: str
    outputs: str
    formulas: tuple[str, ...]


NETWORK: dict[str, Said] = {
    "example image rows": Said(
        "T = 28", "basic_lstm_cell", "13 units", "(41, 52)", "i, j, f, o", "X (batch, 784)", "28 * h",
        ("f = s(zf + 1)", "c = c[6] * f + i * j", "h = tanh(c) * o"),
    ),
    "GRU": Said("T = 4", "gru_cell", "6 units", "(10, 12)", "r, u", "X0 … 3 (batch, 4)", "h", ("r = s(zr)", "h = ")),
    "own cell": Said("T = 4", "pair", "2 units", "(4, 2)", "", "X0 … 3 (batch, 4)", "4 * a", ("a = ", "b = ")),
    "stacked": Said("T = 4", "basic_lstm_cell, gru_cell", "8, 4 units", "(12, 32)", "i, j, f, o", "X0", "h", ("f = s",)),
    "both ways": Said(
        "T = 3", "basic_lstm_cell, gru_cell", "3 units", "(7, 12)", "i, j, f, o", "X0", "output", ("f = s",)
    ),
    "example encoder_decoder": Said(
        "T = 5, 6", "basic_lstm_cell", "8 units", "(12, 32)", "i, j, f, o", "source (batch, 5)", "",
        ("c = c[1] * f + i * j",),
    ),
    "layers stacked": Said(
        "T = 3", "lstm_cell, gru_cell", "3 units", "(4, 12)", "i, f, c, o", "input_layer (batch, 3, 4)", "dense",
        ("f = s(zf)",),
    ),
    "tf2onnx flat LSTM": Said(
        "T = 5", "basic_lstm_cell", "4 units", "(7, 16)", "i, j, f, o", "X0 … 4", "Y0 … 6",
        ("f = s(zf + 1)", "i = s(zi)"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORK)
def test_the_first_screen_says_what_the_network_is(name: str, shown: Callable[..., Browser]) -> None:
    said, graph = NETWORK[name], NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    facts, pipe, side = browser.text("#facts"), browser.text("#pipe"), browser.text("#side")
    assert {said.steps, said.cell, said.units} <= {part.strip() for part in facts.split("·")}
    assert said.kernel in side
    assert not said.order or f"gate order {said.order}" in side
    assert said.inputs in pipe and said.outputs in typed(pipe)
    labels = browser.texts("#side .f dt")
    formulas = [text.replace("\n", "") for text in browser.texts("#side .f .eq")]
    lines = [typed(f"{label} {formula}") for label, formula in zip(labels, formulas, strict=True)]
    assert all(any(line.startswith(formula) for line in lines) for formula in said.formulas), lines
    assert (
        inside(browser, "#facts")
        and inside(browser, "#pipe")
        and inside(browser, "#net")
        and inside(browser, "#side h2")
        and inside(browser, "#side .f .eq")
    )


def typed(text: str) -> str:
    """Return text with the signs of formulas as they are typed."""
    return text.replace(TIMES, "*").replace(SIGMA, "s")


def inside(browser: Browser, selector: str) -> bool:
    """Whether the first element found begins on the first screen."""
    place = browser.run(
        "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.x, box.y]", selector
    )
    return 0 <= place[0] < 1280 and 0 <= place[1] < 800


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"hostile names"}))
def test_every_network_is_shown_without_an_error_and_nothing_is_blank(name: str, shown: Callable[..., Browser]) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    boxes = browser.run("return document.querySelectorAll('#open .box').length")
    assert boxes > 0 or not graph.nodes
    if browser.run("return !document.getElementById('time').hidden"):
        painted = browser.run(
            "const c = document.getElementById('strips');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let k = 3; k < d.length; k += 4) n += d[k] > 0; return n / (d.length / 4)"
        )
        assert painted > 0.05


@pytest.mark.parametrize("name", ["GRU", "example image rows", "cell NAS", "without steps"])
def test_without_feeds_there_is_structure_and_the_way_to_values(name: str, shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["layers without recurrence" if name == "without steps" else name]()
    browser = shown(graph)
    assert re.search(r"unroll\.view\(graph, feeds=\{.+: …\}\)", browser.text("#side"))
    assert browser.texts("[data-result]") == [""] * len(browser.texts("[data-result]"))
    assert browser.run("return document.querySelectorAll('#open .box').length") > 0


def labels_cut_or_over_each_other(browser: Browser) -> list[Any]:
    """Return labels of the axis and of the cell that lie over each other, or over the edge of what holds them."""
    return browser.run(
        """
        const found = [];
        for (const id of ["net", "open"]) {
          const holder = document.getElementById(id);
          const edge = holder.getBoundingClientRect();
          const texts = [...holder.querySelectorAll("text")].filter((one) => one.textContent.trim() && !one.closest(".off"));
          const boxes = texts.map((one) => [one.getBoundingClientRect(), one.textContent]);
          boxes.forEach(([a, text], k) => {
            if (!a.width) return;
            const across = a.left < edge.left - 1 || a.right > edge.right + 1;
            if (across || a.top < edge.top - 1 || a.bottom > edge.bottom + 1) found.push(["cut", text]);
            for (const [b, other] of boxes.slice(k + 1)) {
              const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (across > 1.5 && down > 4) found.push(["over", text, other]);
            }
          });
        }
        return found;
        """
    )


@pytest.mark.parametrize("width", [1280, 711, 390])
@pytest.mark.parametrize(
    "name",
    [
        *NETWORK,
        "cell NAS",
        "lengths",
        "PyTorch, both ways",
        "rerolled LSTM",
        "layers ConvLSTM2D",
        "layers Embedding",
        "attention",
    ],
)
def test_no_label_is_cut_or_over_another(name: str, width: int, shown: Callable[..., Browser]) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    browser.resize(width, 800)
    browser.run("window.dispatchEvent(new Event('resize'))")
    assert labels_cut_or_over_each_other(browser) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("name", "inside", "gates"),
    [
        ("rerolled LSTM", "inside one LSTM operator", {"i", "f", "o"}),
        ("rerolled GRU", "inside one GRU operator", {"z", "r", "h"}),
        ("rerolled Scan", "inside one Scan operator", {"g", "c"}),
        ("torch file LSTM", "inside one LSTM operator", {"i", "f", "o"}),
    ],
)
def test_steps_inside_an_operator_are_shown_on_the_axis(
    name: str, inside: str, gates: set[str], shown: Callable[..., Browser]
) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    facts = browser.text("#facts")
    assert inside in facts and f"{len(graph.nodes)} operators" in facts and "no recurrence" not in facts
    assert gates <= set(
        browser.run("return [...document.querySelectorAll('#net [data-g]')].map((one) => one.dataset.g)")
    )
    operator = inside.split()[2]
    browser.run(
        "[...document.querySelectorAll('#pipe button')].find((one) => one.textContent === arguments[0]).click()",
        operator,
    )
    assert operator in browser.text("#opened h3")


def test_a_scan_whose_length_only_a_run_knows_has_its_steps_once_there_are_feeds(shown: Callable[..., Browser]) -> None:
    x = unroll.placeholder([None, None, 3], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.GRUCell(4), x)
    graph = unroll.Graph([x], {"y": outputs})
    browser = shown(graph)
    assert "in each step of" in browser.text("#open") and "one Scan operator" in browser.text("#facts")
    browser = shown(graph, {"x": np.ones((2, 6, 3), np.float32)})
    assert "T = 6" in browser.text("#facts")
    assert "rnn/t5/gru_cell" in browser.text("#open") or "step 5 of 6" in browser.text("#open")


@pytest.mark.parametrize(("name", "inside_of_it"), [("read back Scan", "Sigmoid")])
def test_the_body_of_a_scan_is_shown_inside_the_graph(
    name: str, inside_of_it: str, shown: Callable[..., Browser]
) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    assert "in each step of" in browser.text("#open")
    boxes = browser.run(
        "return [...document.querySelectorAll('#open [data-row=\"1\"] [data-box]')].map((one) => one.ariaLabel)"
    )
    assert any(inside_of_it.lower() in label.lower() or SIGMA in label for label in boxes)
    browser.click('#open [data-row="1"] [data-box]')
    assert "float32" in browser.text("#opened")


def test_a_loop_whose_path_ends_in_a_number_has_a_name(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["torch file flat RNN"]()
    browser = shown(graph, random_feeds(graph))
    assert browser.text("#facts b") == "stack/0"
    assert browser.text("#pipe .loop") == f"4 {TIMES} stack/0"
    assert browser.text("#net .rowname").startswith("stack/0")


def test_what_the_search_box_asks_for_and_the_name_of_a_loop_are_not_cut(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["example image rows"]()
    browser = shown(graph, random_feeds(graph))
    room = browser.run(
        "const box = document.getElementById('q'), paint = document.createElement('canvas').getContext('2d');"
        "paint.font = getComputedStyle(box).font; return box.clientWidth - paint.measureText(box.placeholder).width"
    )
    assert room >= 0
    assert browser.texts("#net .rowname text") == ["basic_lstm_cell", "13 units"]
    assert browser.texts("#legend span") == [f"{MINUS}+", "gate: 0 shut1 open"]


def test_the_first_screen_of_an_lstm_of_28_steps_needs_no_scrolling(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["image rows"]()
    browser = shown(graph, random_feeds(graph))
    assert browser.run(
        "return ['#left', '#cell', '#pipe'].map((one) => document.querySelector(one))"
        ".every((one) => one.scrollHeight <= one.clientHeight && one.scrollWidth <= one.clientWidth)"
    )


@pytest.mark.parametrize(
    ("name", "folded"), [("GRU", 640), ("lengths", 640), ("four states", 900), ("attention", 1300)]
)
def test_a_cell_that_is_too_wide_is_folded_and_never_scrolls_sideways(
    name: str, folded: int, shown: Callable[..., Browser]
) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph, random_feeds(graph))
    for width in (1280, 828, 711, 390):
        browser.resize(width, 800)
        browser.run("window.dispatchEvent(new Event('resize'))")
        assert browser.run("const cell = document.getElementById('cell'); return cell.scrollWidth <= cell.clientWidth")
        pieces = browser.run(
            "return [...document.querySelectorAll('#open [data-fold]')]"
            ".map((one) => [...one.querySelectorAll('[data-box]')].map((box) => box.dataset.box))"
        )
        assert bool(pieces) == (width < folded), width
        boxes = browser.texts("#open [data-box]")
        assert not pieces or sum(map(len, pieces)) == len(boxes), "each box stands in one piece"
    browser.click("#open [data-box]")
    assert browser.text("#opened h3")
    assert browser.link().count("o=") == 1


def test_what_is_left_out_is_said(shown: Callable[..., Browser]) -> None:
    browser = shown(many_different_steps(), link="t=55")
    assert "are not in the page" in browser.text("#open")
    browser = shown(many_operators())
    assert "4,000 operators, the first and the last 120 of them shown" in browser.text("#open")


@pytest.mark.parametrize("name", ["layers two Bidirectional", "example encoder_decoder", "Bahdanau"])
def test_a_long_sentence_is_said_in_fewer_words(name: str, shown: Callable[..., Browser]) -> None:
    graph = NETWORKS[name]()
    browser = shown(graph)
    assert browser.run("const pipe = document.getElementById('pipe'); return pipe.scrollWidth <= pipe.clientWidth")
    loops = browser.run(
        "return [...document.querySelectorAll('#pipe .loop')].map((one) => [one.ariaLabel, one.textContent])"
    )
    assert len(loops) == sum(bool(row["path"]) for row in Page(unroll.view(graph).html).data["rows"])
    for full, short in loops:
        assert full.startswith(short.split()[0]) or f"/{short.split()[0]}" in full
        assert TIMES in short
