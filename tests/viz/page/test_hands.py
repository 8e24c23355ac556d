"""What hands do on the page, in a real browser: steps, units, gates, rows of the batch, zoom, search, links, themes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from helpers import Array
from page_reading import random_feeds
from picture_networks import NETWORKS
from random_networks import random_network

import unroll
from unroll.examples import image_rows_lstm
from unroll.viz.dot_text import MINUS

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)


@pytest.fixture(scope="module")
def rows() -> tuple[unroll.Graph, dict[str, Array]]:
    return image_rows_lstm.image_rows(), {"X": image_rows_lstm.generated()}


def number(text: str) -> float:
    return float(text.replace(MINUS, "-").replace("∞", "inf"))


def link_of(browser: Browser) -> dict[str, str]:
    return dict(part.split("=") for part in browser.link().split("&"))


def check_side(
    browser: Browser, graph: unroll.Graph, feeds: dict[str, Array], scope: str, step: int, unit: int, row: int
) -> int:
    """Compare every result of the chosen step with `graph.run`'s; return how many there are."""
    results = browser.run(
        "return [...document.querySelectorAll('#side [data-result]')].map((one) => [one.dataset.result, one.textContent])"
    )
    names = {graph.name(tensor): tensor for node in graph.nodes for tensor in node.outputs}
    for label, text in results:
        paths = [f"{scope.format(t=step)}/{label}", f"{scope.format(t=step)}/{label}/{label}"]
        found = [names[path] for path in paths if path in names]
        found = found or [t for name, t in names.items() if graph_label(graph, name, step) == label]
        value = float(np.asarray(graph.run(feeds, found[0]))[row, unit])
        assert abs(number(text) - value) <= 0.00501, (label, text, value)
    return len(results)


def graph_label(graph: unroll.Graph, name: str, step: int) -> str:
    node = graph.tensor(name).node
    return name.rpartition("/")[2] if node is not None and node.origin.step == step else ""


@pytest.mark.parametrize(("step", "unit", "row"), [(7, 2, 0), (0, 0, 3), (27, 12, 7), (13, 5, 1)])
def test_the_numbers_of_a_step_are_those_of_a_run(
    step: int, unit: int, row: int, rows: Any, shown: Callable[..., Browser]
) -> None:
    graph, feeds = rows
    browser = shown(graph, feeds, f"t={step}&u={unit}&b={row}")
    assert browser.text("#side .f h2").startswith(f"Step {step}, unit {unit}")
    assert check_side(browser, graph, feeds, "rnn/t{t}/basic_lstm_cell", step, unit, row) == 6
    values = graph.run(feeds, [f"rnn/t{step}/basic_lstm_cell/{name}" for name in "fijo"])
    for name, value in zip("fijo", values, strict=True):
        (shown_value,) = browser.texts(f'#open [data-value="{name}"]')
        assert abs(number(shown_value) - value[row, unit]) <= 0.00501


def test_the_numbers_put_into_a_formula_are_those_of_a_run(rows: Any, shown: Callable[..., Browser]) -> None:
    graph, feeds = rows
    browser = shown(graph, feeds, "t=9&u=4&b=2")
    put = browser.text('#side [data-put="c"]')
    names = ["rnn/t8/basic_lstm_cell/c", *(f"rnn/t9/basic_lstm_cell/{gate}" for gate in "fij")]
    wanted = [value[2, 4] for value in graph.run(feeds, names)]
    found = [number(text) for text in re.findall(rf"{MINUS}?\d+\.\d+", put)]
    np.testing.assert_allclose(found, wanted, atol=0.00501)


def test_means_and_ranges_are_those_of_a_run(rows: Any, shown: Callable[..., Browser]) -> None:
    graph, feeds = rows
    browser = shown(graph, feeds, "b=5")
    runs = graph.run(feeds, [f"rnn/t{step}/basic_lstm_cell/f" for step in range(28)])
    gate = np.stack(runs)
    assert abs(number(browser.text('#net [data-mean="f"]')) - gate[:, 5].mean()) <= 0.00501
    low, high = browser.texts('#side tr[data-g="f"] td')[3].split("…")
    np.testing.assert_allclose([number(low), number(high)], [gate.min(), gate.max()], atol=0.00501)


@pytest.mark.parametrize("seed", range(6))
def test_results_of_random_networks_are_those_of_a_run(seed: int, shown: Callable[..., Browser]) -> None:
    graph, feeds = random_network(seed)
    browser = shown(graph, feeds, "t=2&u=1", name=f"random{seed}")
    found = browser.run(
        "const found = [...document.querySelectorAll('#side [data-result]')];"
        "return found.map((one) => [one.dataset.result, one.textContent])"
    )
    numbers = [number(text) for _, text in found if text]
    arrays = graph.run(feeds, [tensor for node in graph.nodes for tensor in node.outputs])
    known = np.concatenate([np.asarray(array, float).ravel() for array in arrays])
    assert all(np.min(np.abs(known - one)) <= 0.00501 for one in numbers)


def test_keys_choose_steps_units_rows_and_gates(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    browser.key("ArrowRight", "ArrowRight", "ArrowDown", "]", "3")
    link = link_of(browser)
    assert (link["t"], link["u"], link["b"], link["g"]) == ("9", "3", "1", "f")
    assert browser.text("#side .f h2").startswith("Step 9, unit 3")
    assert browser.text("#row") == "row 1 of 8"
    browser.key("Home")
    assert link_of(browser)["t"] == "0"
    browser.key("ArrowLeft", "End")
    assert link_of(browser)["t"] == "27"
    browser.key("Escape")
    assert "g" not in link_of(browser)


def test_a_drag_on_the_axis_chooses_step_and_unit(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    left, top = browser.run("const b = document.getElementById('time').getBoundingClientRect(); return [b.x, b.y]")
    pitch = (936 - 128 - 84) / 28
    browser.drag([(int(left + 128 + 3.5 * pitch), int(top + 270)), (int(left + 128 + 20.5 * pitch), int(top + 270))])
    assert link_of(browser)["t"] == "20"
    assert browser.run("return document.getElementById('time').getAttribute('aria-valuenow')") == "20"
    assert re.match(r"step 20; unit \d+: c .*, h ", browser.run("return document.getElementById('time').ariaValueText"))


def test_a_gate_dims_all_others_wherever_it_is_clicked(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    for place in ('#side tr[data-g="f"]', '#open g[data-g="f"] rect', '#net g[data-g="f"] text'):
        browser.click(place)
        assert link_of(browser)["g"] == "f"
        dim = browser.run("return [...document.querySelectorAll('.dim[data-g]')].map((one) => one.dataset.g)")
        assert set(dim) == {"i", "j", "o"}
        browser.key("Escape")


def test_the_wheel_zooms_at_the_pointer_and_0_shows_all(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    browser.wheel(300, 300, -400)
    before, after = map(float, link_of(browser)["v"].split("-"))
    assert 0 < before < after < 28
    pitch = (936 - 128 - 84) / (after - before)
    assert abs((300 - 128) / ((936 - 128 - 84) / 28) - (before + (300 - 128) / pitch)) < 0.2
    browser.key("0")
    browser.run("return 1")
    assert "v" not in link_of(browser)


def test_search_finds_by_name_operator_and_size_and_goes_there(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    browser.key("/", *"t12 op:tanh")
    assert len(browser.texts("#found li")) == 2
    assert browser.run("return document.querySelectorAll('#hits path').length") == 1
    browser.key("Enter")
    assert link_of(browser)["t"] == "12"
    assert "rnn/t12/basic_lstm_cell" in browser.text("#opened")
    browser.key("Escape", "Escape", "/", *"op:tanh")
    assert [text.partition(" · ")[2] for text in browser.texts("#found li")] == ["28 steps", "28 steps"]
    browser.key("Escape", "Escape", "/", *"shape:52")
    assert all("52" in text for text in browser.texts("#found li"))


def test_an_operator_opens_with_all_that_is_known_of_it(rows: Any, shown: Callable[..., Browser]) -> None:
    graph, feeds = rows
    browser = shown(graph, feeds)
    browser.click('#open g[data-g="f"] rect')
    browser.key("Escape")
    browser.click("#open .box")
    opened = browser.text("#opened")
    for said in ("(batch, ", "float32", "rnn/t7/basic_lstm_cell", "reads", "read by"):
        assert said in opened
    shown_values = [number(text) for text in browser.text("#opened .values").split("…")[0].split()]
    name = next(node for node in graph.nodes if node.origin.step == 7 and node.op.name == "Concat")
    np.testing.assert_allclose(shown_values, graph.run(feeds, name.outputs[0])[0][: len(shown_values)], atol=0.00501)


def test_a_way_between_two_operators_is_shown(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    boxes = browser.run(
        "return [...document.querySelectorAll('#open .box')].map((one) => one.getAttribute('aria-label'))"
    )
    first = next(place for place, label in enumerate(boxes) if label.startswith("f ="))
    last = next(place for place, label in enumerate(boxes) if label.startswith("h ="))
    browser.click(f'#open [data-box="{first}"] rect')
    browser.run("return 1")
    browser.click(f'#open [data-box="{last}"] rect', shift=True)
    off = browser.run(
        "return [...document.querySelectorAll('#open .box.off')].map((one) => one.getAttribute('aria-label'))"
    )
    assert any(label.startswith("i =") for label in off) and not any(
        label.startswith(("f =", "c =", "h =")) for label in off
    )


def test_a_link_brings_the_view_back(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows, "t=11&b=6&u=9&g=o&v=4-19&theme=dark")
    assert browser.text("#side .f h2").startswith("Step 11, unit 9")
    assert browser.text("#row") == "row 6 of 8"
    assert browser.run("return document.documentElement.className") == "dark"
    assert link_of(browser) == {"t": "11", "b": "6", "u": "9", "g": "o", "v": "4-19", "theme": "dark"}
    browser.key("l")
    assert browser.run("return document.documentElement.className") == ""


def test_loops_are_chosen_by_the_sentence_and_by_the_playhead(shown: Callable[..., Browser]) -> None:
    graph = NETWORKS["example encoder_decoder"]()
    browser = shown(graph, random_feeds(graph), "t=2")
    assert browser.text("#open").startswith("The operators of encoder/t2/basic_lstm_cell")
    browser.click('#pipe [data-row="1"]')
    assert "decoder/t0/basic_lstm_cell" in browser.text("#open")
    browser.key("Home")
    assert "encoder/t0/basic_lstm_cell" in browser.text("#open")
    assert "encoder/basic_lstm_cell/kernel" in browser.text("#side")


def test_play_steps_on_and_stops(rows: Any, shown: Callable[..., Browser]) -> None:
    browser = shown(*rows)
    browser.key(" ")
    browser.run("return 1")
    moved = browser.run("return new Promise((done) => setTimeout(() => done(location.hash), 700))")
    assert int(moved.split("t=")[1].split("&")[0]) > 7
    browser.key(" ")
    assert browser.text("#play") == "▶"


@pytest.mark.parametrize("width", [1280, 711, 390])
def test_it_prints_and_is_not_blank(width: int, rows: Any, shown: Callable[..., Browser], tmp_path: Path) -> None:
    browser = shown(*rows)
    browser.resize(width, 800)
    picture = browser.picture()
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
    printed = browser.command("Page.printToPDF", {})
    assert len(printed["data"]) > 20_000
    browser.key("l")
    looks = [
        browser.run(
            "if (arguments[0]) dispatchEvent(new Event(arguments[0])); return document.documentElement.className", event
        )
        for event in ("", "beforeprint", "afterprint")
    ]
    assert looks == ["dark", "", "dark"], "on paper it is light"


def test_a_wire_says_what_it_carries_and_its_shape(
    rows: tuple[unroll.Graph, dict[str, Array]], shown: Callable[..., Browser]
) -> None:
    browser = shown(*rows, link="t=7")
    said = browser.run(
        "const note = document.getElementById('hover');"
        "return [...document.querySelectorAll('[data-wire]')].map((wire) => {"
        "wire.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 300, clientY: 500 }));"
        "return note.textContent; });"
    )
    assert {"x (batch, 28) float32", "h[6] (batch, 13) float32", "z_f (batch, 13) float32"} <= set(said)
