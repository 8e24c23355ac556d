"""The page as one file: our modules joined into one script, a policy that lets nothing else run, and the data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from unroll.viz.page.colours import variables

_MAIN = "main.js"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) )", re.MULTILINE)
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_MARGIN = re.compile(r"^[ \t]*\n?", re.MULTILINE)
_FONTS = {400: "open-sans-regular.woff2", 600: "open-sans-semibold.woff2"}
_ENDING = re.compile("[<>&\u2028\u2029\x00]")
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def written(data: Mapping[str, Any], numbers: str, title: str) -> str:
    """Return the page.

    Args:
        data: what it is told, without the numbers.
        numbers: the numbers, packed.
        title: its name.
    """
    script, style = joined_script(), joined_style()
    parts = {
        "policy": policy(script, style),
        "title": html.escape(title),
        "style": style,
        "data": _json(data),
        "numbers": numbers,
        "script": script,
    }
    return _PLACE.sub(lambda found: parts[found[1]], _read("page.html"))


def policy(script: str, style: str) -> str:
    """Return the policy of the page: this script and this style, pictures and fonts within the file, and nothing else."""
    return (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def joined_script() -> str:
    """Return our modules as one script: each after those that it imports, each name of all of them used once."""
    order: list[str] = []
    open_: list[tuple[str, bool]] = [(_MAIN, False)]
    begun: set[str] = set()
    while open_:
        name, done = open_.pop()
        if done:
            order.append(name)
        elif name not in begun:
            begun.add(name)
            open_ += [(name, True), *((other, False) for other in reversed(_IMPORT.findall(_read(name))))]
    modules = [_MARGIN.sub("", _COMMENT.sub("", _scope(name))) for name in order]
    return "'use strict';\nconst modules = {};\n" + "".join(modules)


def _scope(name: str) -> str:
    """Return a module as a scope of its own: it takes what it imports from those before it, and hands on what it exports."""
    text = _read(name)
    exported = re.findall(r"^export (?:async )?(?:function|class|const|let) (\w+)", text, re.MULTILINE)

    def taken(found: re.Match[str]) -> str:
        names = re.sub(r"(\w+) as (\w+)", r"\1: \2", found[0][found[0].index("{") : found[0].index("}") + 1])
        return f'const {names} = modules["{found[1]}"];'

    body = _EXPORT.sub("", _IMPORT.sub(taken, text))
    return f'modules["{name}"] = (() => {{\n{body}return {{ {", ".join(exported)} }};\n}})();\n'


@cache
def joined_style() -> str:
    """Return the style, with the fonts and the colours of gates."""
    fonts = "".join(
        f'@font-face{{font-family:"Page Sans";font-weight:{weight};src:url(data:font/woff2;base64,{_packed(name)})}}\n'
        for weight, name in _FONTS.items()
    )
    return f"{fonts}:root{{{variables(dark=False)}}}\n:root.dark{{{variables(dark=True)}}}\n{_read('page.css')}"


def _json(data: Mapping[str, Any]) -> str:
    """Return data as JSON that no browser takes for the end of a script."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _ENDING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _packed(name: str) -> str:
    return base64.b64encode(resources.files(__package__).joinpath(name).read_bytes()).decode("ascii")
