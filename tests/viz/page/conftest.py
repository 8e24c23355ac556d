"""One browser for all tests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser

import unroll


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """A window of 1280 by 800, whose console must stay empty."""
    one_browser.resize(1280, 800)
    one_browser.console()
    yield one_browser
    assert one_browser.console() == []


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """Return a function that opens the page of a graph."""

    def show(graph: unroll.Graph, feeds: Any = None, link: str = "", name: str = "page") -> Browser:
        path = tmp_path / f"{name}.html"
        unroll.view(graph, path, feeds=feeds)
        browser.open(path, link)
        return browser

    return show
