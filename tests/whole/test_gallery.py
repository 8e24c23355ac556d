"""docs/gallery.md: what its script makes, each picture there and small; links of the pages in docs lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from helpers import REPOSITORY

SPEC = importlib.util.spec_from_file_location("make_gallery", REPOSITORY / "docs" / "make_gallery.py")
assert SPEC is not None and SPEC.loader is not None
make_gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_gallery)
PAGE = (REPOSITORY / "docs" / "gallery.md").read_text(encoding="utf-8")
FILES = sorted((REPOSITORY / "docs" / "gallery").iterdir())
PROSE = [path for folder in (REPOSITORY, REPOSITORY / "docs") for path in sorted(folder.glob("*.md"))]


def test_the_page_is_what_its_script_writes() -> None:
    assert make_gallery.text() == PAGE, "run `make gallery`"


def test_sixteen_pictures_and_more_each_with_what_is_seen_in_it_are_all_that_is_there() -> None:
    shown = re.findall(r"^### .+\n\n[^!]{40,}?\n\n!\[.+\]\(gallery/(.+)\)$", PAGE, re.MULTILINE)
    assert len(shown) >= 16
    assert sorted(shown) == [path.name for path in FILES]


def test_the_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FILES}
    assert max(sizes.values()) < 200_000
    assert sum(sizes.values()) < 3_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_picture_is_what_its_suffix_says(path: Path) -> None:
    data = path.read_bytes()
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP") if path.suffix == ".webp" else b"<svg" in data[:2000]


def anchors(path: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub has it."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        other = (path.parent / target) if target else path
        assert other.exists(), link
        assert not anchor or anchor in anchors(other), link
