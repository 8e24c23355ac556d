"""Write docs/gallery.md and its pictures in docs/gallery/: ``python docs/make_gallery.py``, or ``make gallery``.

Pictures are drawn as SVG. Pages are photographed in headless Chromium, which must be installed with its driver, as WebP. Names
after the command make only the pictures so called: ``python docs/make_gallery.py first_screen``. What stands in the gallery is
in docs/gallery_entries.py, and what is said of other viewers in docs/gallery_beside.py.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import unroll

HERE = Path(__file__).resolve().parent
PLACE = HERE / "gallery"
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]
from browser import Browser  # noqa: E402  # of the tests
from gallery_beside import TEXT as BESIDE  # noqa: E402
from gallery_entries import NUMBERS, PAGES, PICTURES, Shown  # noqa: E402

#: What is photographed keeps letters sharp at this share of WebP's best.
QUALITY = 85

HEAD = """# Gallery

Made by `make gallery`. The pages are those of `unroll.view(graph, feeds=feeds)`, or `unroll view`, as a browser shows
them; the pictures are those of `unroll.draw(graph, "net.svg")`, or `unroll draw`. Where no data is named, feeds are
random and weights are as they begin.
"""


def text() -> str:
    """Return docs/gallery.md."""
    parts = [HEAD]
    for heading, entries in (("The page", PAGES), ("Pictures", PICTURES), ("Pictures of numbers", NUMBERS)):
        parts.append(f"## {heading}\n")
        parts += [f"### {one.title}\n\n{one.text.strip()}\n\n![{one.title}](gallery/{one.file})\n" for one in entries]
    parts.append(f"## Beside other viewers\n{BESIDE}")
    return "\n".join(parts)


def photograph(browser: Browser, one: Shown, folder: Path) -> bytes:
    """Return what a browser shows of a page, as WebP."""
    graph, page = one.graph(), folder / f"{one.called}.html"
    expected = one.expected and one.expected(graph)
    unroll.view(graph, page, feeds=one.feeds and one.feeds(graph), expected=expected)
    browser.resize(*one.size)
    browser.open(page, one.link)
    if one.hands:
        one.hands(browser)
    browser.run("return true")  # what is to be drawn is drawn
    said = browser.console()
    if said:
        raise SystemExit(f"the page of {one.name} says {said}")
    seen = browser.command("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    return base64.b64decode(seen["data"])


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all of them, and the page."""
    PLACE.mkdir(exist_ok=True)
    for drawn in PICTURES:
        if not names or drawn.name in names:
            graph = drawn.graph()
            unroll.draw(graph, PLACE / drawn.file, level=drawn.level, feeds=drawn.feeds and drawn.feeds(graph))
    for numbers in NUMBERS:
        if not names or numbers.name in names:
            numbers.draw(PLACE / numbers.file)
    chosen = [page for page in PAGES if not names or page.name in names]
    if chosen:
        browser = Browser()
        try:
            with tempfile.TemporaryDirectory() as folder:
                for page in chosen:
                    (PLACE / page.file).write_bytes(photograph(browser, page, Path(folder)))
        finally:
            browser.close()
    (HERE / "gallery.md").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
