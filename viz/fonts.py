"""A font for machines that have none: Graphviz would draw an empty box for every letter, and say nothing."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

_PACKAGE = "ttf_opensans"
_VARIABLE = "FONTCONFIG_FILE"


def shipped_folder() -> Path | None:
    """Return the folder of the font that a dependency ships, or None where that package is missing."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(folders))) / "ttf" if folders else None


@contextmanager
def available() -> Iterator[dict[str, str]]:
    """Yield an environment in which fontconfig finds the shipped font beside the machine's own fonts.

    Fontconfig reads its configuration once in a process, on the first picture; that has to be drawn inside this context.
    """
    environment = dict(os.environ)
    folder = shipped_folder()
    if folder is None:
        yield environment
        return
    with TemporaryDirectory(prefix="unroll-fonts-") as work:
        file = Path(work) / "fonts.conf"
        inherited = environment.get(_VARIABLE) or "fonts.conf"
        file.write_text(_configuration(inherited, folder, Path(work)), encoding="utf-8")
        yield environment | {_VARIABLE: str(file)}


def _configuration(inherited: str, folder: Path, work: Path) -> str:
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f'  <include ignore_missing="yes">{escape(inherited)}</include>\n'
        f"  <dir>{escape(str(folder))}</dir>\n"
        f"  <cachedir>{escape(str(work / 'cache'))}</cachedir>\n"
        "</fontconfig>\n"
    )
