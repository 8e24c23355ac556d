"""``tf.app`` as programs open with it: flags that a command line may set, and `run`, which calls ``main``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from unroll.errors import ArgumentError


class Flags:
    """The values of the flags that were defined: what the command line says, ``--units=13``, else the default."""

    def __init__(self) -> None:
        self._kinds: dict[str, Any] = {}

    def __call__(self, argv: list[str]) -> list[str]:
        """Take flags from a command line, and return what is none."""
        rest, words = argv[:1], list(argv[1:])
        while words:
            name, equals, value = words.pop(0).lstrip("-").partition("=")
            kind = self._kinds.get(name)
            if kind is None:
                rest.append(name + equals + value)
            else:
                text = value if equals else "true" if kind is bool else words.pop(0) if words else ""
                setattr(self, name, _read(name, kind, text))
        return rest


def _read(name: str, kind: Callable[[str], Any], text: str) -> Any:
    try:
        return text.lower() in ("1", "t", "true", "yes") if kind is bool else kind(text)
    except ValueError:
        raise ArgumentError(f"flag --{name}={text}: {kind.__name__} is wanted") from None


FLAGS = Flags()


def _define(kind: type) -> Callable[..., None]:
    def define(name: str, default: Any, help: str | None = None, **unused: Any) -> None:
        FLAGS._kinds[name] = kind
        setattr(FLAGS, name, default)

    return define


def run(main: Callable[[list[str]], Any] | None = None, argv: list[str] | None = None) -> None:
    """Read the command line, call ``main`` of the program with what is no flag, and end with what it returns."""
    found = main or vars(sys.modules["__main__"])["main"]
    sys.exit(found(FLAGS(sys.argv if argv is None else argv)))


_KINDS = {"string": str, "integer": int, "float": float, "bool": bool, "boolean": bool}
TABLE: dict[str, Any] = {"FLAGS": FLAGS, **{f"DEFINE_{name}": _define(kind) for name, kind in _KINDS.items()}}
