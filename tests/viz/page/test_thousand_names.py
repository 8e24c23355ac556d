"""A thousand hostile names on pages: no script of theirs runs, with the page's policy in force, and each is found."""

from __future__ import annotations

import html
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, DRIVER, Browser
from hostile_names import MARK, NAMES, in_a_file, in_a_program, usable
from page_reading import random_feeds

import unroll

IN_A_BROWSER = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)
USABLE = [name for name in NAMES if usable(name)]


def of_a_file() -> unroll.Graph:
    return unroll.from_onnx(in_a_file(list(NAMES)))


def of_a_program() -> unroll.Graph:
    return in_a_program(USABLE[::15][:44])


class _Elements(HTMLParser):
    """The elements of a page, and the attributes that run scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


def test_the_html_of_a_page_has_no_elements_but_its_own() -> None:
    plain = _Elements(unroll.view(in_a_program([f"n{place}" for place in range(8)])).html)
    for graph in (of_a_file(), of_a_program()):
        found = _Elements(unroll.view(graph, feeds=None).html)
        assert found.names == plain.names and not found.handlers


@IN_A_BROWSER
@pytest.mark.parametrize("graph", [of_a_file, of_a_program])
def test_no_name_runs_whatever_is_opened_and_searched(
    graph: Callable[[], unroll.Graph], shown: Callable[..., Browser]
) -> None:
    made = graph()
    browser = shown(made, random_feeds(made) if graph is of_a_program else None)
    title = browser.run("return document.title")
    opened = browser.run(
        "const boxes = document.querySelectorAll('[data-box], .node, .rowname, [data-weight], [data-g]');"
        "for (const box of boxes) box.dispatchEvent(new MouseEvent('click', { bubbles: true })); return boxes.length"
    )
    assert opened > 10
    found = browser.run(
        "const field = document.getElementById('q'); return arguments[0].map((name) => { field.value = name;"
        "field.dispatchEvent(new Event('input')); return document.querySelectorAll('#found li').length })",
        [name for name in USABLE if len(name) < 200],
    )
    assert sum(count > 0 for count in found) > 20
    assert browser.run("return document.querySelectorAll('script').length") == 3
    assert browser.run("return document.querySelectorAll('img, iframe, object, embed, link, a').length") == 0
    assert browser.run(f"return window.{MARK} ?? null") is None and browser.run("return document.title") == title


@IN_A_BROWSER
@pytest.mark.parametrize("graph", [lambda: unroll.from_onnx(in_a_file(list(NAMES[8:208]))), of_a_program])
def test_no_name_runs_in_a_notebook_which_has_no_policy(
    graph: Callable[[], unroll.Graph], browser: Browser, tmp_path: Path
) -> None:
    made = graph()
    bundles: list[dict[str, Any]] = [unroll.view(made)._repr_mimebundle_(), made._repr_mimebundle_()]
    bundles.append({"text/html": unroll.explain(made)._repr_html_()})
    parts = [str(bundle[kind]) for bundle in bundles for kind in ("text/html", "image/svg+xml") if kind in bundle]
    parts += [f"<pre>{html.escape(bundle['text/plain'])}</pre>" for bundle in bundles if "text/plain" in bundle]
    page = tmp_path / "notebook.html"
    begin = '<!doctype html><html data-ready="1"><meta charset="utf-8"><body>'
    page.write_text(begin + "".join(parts), encoding="utf-8")
    browser.open(page)
    assert browser.run("return document.querySelectorAll('svg').length") >= 2
    assert browser.run("return document.querySelectorAll('iframe').length") == 1
    assert browser.run(f"return window.{MARK} ?? null") is None and browser.run("return document.title") == ""
    page.write_text(begin + NAMES[8], encoding="utf-8")  # what would be seen if one ran
    browser.open(page)
    assert browser.run("return document.title") == browser.run(f"return window.{MARK}") == "ran"
