"""Whatever a name or a number is, the page shows it to the letter, and nothing runs but its own script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, DRIVER, Browser
from page_reading import Page, random_feeds
from picture_networks import NETWORKS

import unroll
from unroll import ops
from unroll.errors import FileError

IN_A_BROWSER = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)
PIECES = (
    "<script>document.title='run'</script>", "</script><script>document.title='run'</script>", "<img src=x onerror=alert(1)>",
    "]]>", "&amp;<&>", '"quoted"', "'", "<!--", "-->", "{{data}}", "{{script}}", "${1}", "\\N\\u0041", "\u202eright to left",
    "\u05e9\u05dc\u05d5\u05dd", "emoji \U0001f600", "a" * 10_000, "javascript:alert(1)", "__proto__", "constructor", "{t}",
    "\u2028", "x\u0301", "--><svg onload=alert(1)>", "`", "%00", "<style>*{display:none}</style>", "t7", "0", "z_f",
)  # fmt: skip


def hostile_graph(names: list[str]) -> unroll.Graph:
    """A graph of a few steps in which scopes, cells, inputs, weights and outputs have these names."""
    inputs = [unroll.placeholder([None, 2], f"{name}{place}") for place, name in enumerate(names[:3])]
    with unroll.scope(names[0].replace("/", "|")):
        cell = unroll.GRUCell(2, name=names[1].replace("/", "|"))
        outputs, _ = unroll.static_rnn(cell, inputs, scope=names[2].replace("/", "|"))
    return unroll.Graph(inputs, dict(zip(names[-3:], outputs, strict=True)))


def names_in_fours() -> Iterator[list[str]]:
    """Names in groups, each of printable characters and different from the others, as a graph asks."""
    allowed = [piece for piece in PIECES if piece.isprintable() and "/" not in piece]
    allowed += [piece.replace("/", "|") for piece in PIECES if "/" in piece]
    for start in range(0, len(allowed), 4):
        group = allowed[start : start + 4]
        yield [*group, *(f"{start}{place}" for place in range(4 - len(group)))]


def test_the_policy_lets_nothing_run_but_the_script_and_the_style_of_the_page() -> None:
    text = unroll.view(NETWORKS["GRU"]()).html
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == rules["font-src"] == "data:"
    for rule, pattern in (("script-src", r"<script>(.*?)</script>"), ("style-src", r"<style>(.*?)</style>")):
        (inner,) = re.findall(pattern, text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.findall(r'\s(?:src|href)="(?!data:)', text) and "@import" not in text
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_a_page_is_the_same_each_time_it_is_made() -> None:
    graph = NETWORKS["layers two Bidirectional"]()
    feeds = random_feeds(graph)
    assert unroll.view(graph, feeds=feeds).html == unroll.view(graph, feeds=feeds).html


@pytest.mark.parametrize("names", [*names_in_fours()])
def test_a_name_cannot_end_the_data(names: list[str]) -> None:
    graph = hostile_graph(names)
    text = unroll.view(graph, feeds=random_feeds(graph)).html
    assert text.count("<script") == text.count("</script>") == 3
    told = Page(text).data
    assert {item["name"] for item in told["parameters"]} == set(graph.parameters)
    assert len(told["rows"][0]["templates"][0]["ops"]) > 3


@IN_A_BROWSER
@pytest.mark.parametrize("names", [*names_in_fours()])
def test_no_name_runs_and_each_is_shown(names: list[str], shown: Callable[..., Browser]) -> None:
    graph = hostile_graph(names)
    browser = shown(graph, random_feeds(graph), name=names[3].replace("/", "|")[:40].replace("\0", ""))
    assert browser.run("return document.title").endswith("· unroll")
    assert browser.run("return document.querySelectorAll('img, iframe, object, embed, link').length") == 0
    assert browser.run("return document.querySelectorAll('script').length") == 3
    assert browser.run("return document.querySelectorAll('#open .box').length") > 3
    for box in range(3):
        browser.click(f'#open [data-box="{box}"]')
    browser.key("/", *"op:")
    cell = graph.nodes[-1].origin.cell or ""
    assert cell[:12] in browser.text("#side h2") or "\\u" in browser.text("#side h2") or "…" in browser.text("#side h2")


@IN_A_BROWSER
def test_an_injected_script_and_handler_are_refused(shown: Callable[..., Browser]) -> None:
    browser = shown(NETWORKS["GRU"]())
    browser.run(
        "const script = document.createElement('script'); script.textContent = 'document.title = \"run\"';"
        "document.body.append(script); document.body.setAttribute('onclick', 'document.title = \"run\"');"
        "document.body.click();"
        "try { eval('document.title = \"run\"') } catch {}"
    )
    assert browser.run("return document.title") != "run"
    assert all("Content Security Policy" in line for line in browser.console())


@IN_A_BROWSER
@pytest.mark.parametrize("steps", [1, 2, 300])
def test_every_number_of_steps_is_shown(steps: int, shown: Callable[..., Browser]) -> None:
    inputs = [unroll.placeholder([None, 2], f"x{step}") for step in range(steps)]
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(3), inputs)
    graph = unroll.Graph(inputs, outputs)
    browser = shown(graph, random_feeds(graph), f"t={steps - 1}")
    assert f"T = {steps}" in browser.text("#facts")
    assert browser.text("#side .f h2").startswith(f"Step {steps - 1}, unit 2")


@IN_A_BROWSER
@pytest.mark.parametrize("nodes", [0, 1])
def test_a_graph_of_hardly_anything_is_shown(nodes: int, shown: Callable[..., Browser]) -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = unroll.Graph([x], {"y": ops.tanh(x) if nodes else x})
    browser = shown(graph, random_feeds(graph))
    assert f"{nodes} operator{'s' * (nodes != 1)} " in browser.text("#facts") + " "


@IN_A_BROWSER
def test_what_is_not_finite_is_marked_and_counted(shown: Callable[..., Browser]) -> None:
    x = unroll.placeholder([None, 3], "x")
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(4), [x, x])
    graph = unroll.Graph([x], outputs)
    graph.parameters["rnn/basic_rnn_cell/bias"].assign([np.nan, np.inf, 0, 0])
    browser = shown(graph, {"x": np.ones((1, 3))}, "t=1&u=0")
    assert "not finite" in browser.text("#side") and "not finite" in browser.text("#net")
    assert "NaN" in browser.text("#side .f")


def test_feeds_that_are_larger_than_the_page_are_cut_to_the_first_rows() -> None:
    inputs = [unroll.placeholder([None, 64], f"x{step}") for step in range(40)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(64), inputs)
    graph = unroll.Graph(inputs, outputs)
    view = unroll.view(graph, feeds=random_feeds(graph, batch=200))
    kept = Page(view.html).data["values"]
    assert kept["batch"] == 200 and 0 < kept["rows"] < 200
    assert len(view.html) < 4_000_000


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere"):
        unroll.view(NETWORKS["GRU"](), tmp_path / "nowhere" / "page.html")
