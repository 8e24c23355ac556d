"""Every public name shows how it is used: the example in its docstring is run, and gives what it says.

An example is the `Example:` section of a docstring, as `>>>` lines. It may use `np`, `unroll`, `layers`, `nn` and `ops` without
importing them, and may write files: it runs in a folder of its own. What it prints can be checked by hand: a shape, a name, a
number that a line of arithmetic gives.
"""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import cells, layers, nest, nn, ops

PUBLIC: tuple[ModuleType, ...] = (unroll, cells, layers, nest, nn, ops)
NAMESPACE = {"np": np, "unroll": unroll, "layers": layers, "nn": nn, "ops": ops}


def named(module: ModuleType) -> list[Any]:
    """The classes and functions that a module hands out (those of its own, without `__all__`), as parameters of a test."""
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    names = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
    things = [(name, getattr(module, name)) for name in names]
    return [
        pytest.param(name, thing, id=f"{module.__name__}.{name}")
        for name, thing in things
        if inspect.isclass(thing) or inspect.isroutine(thing)
    ]


def example_of(name: str, thing: Any) -> doctest.DocTest:
    """The example of a class or function, ready to run; the part of its docstring after `Example:`."""
    text = inspect.cleandoc(thing.__doc__ or "")
    _, _, example = text.partition("\nExample:\n")
    return doctest.DocTestParser().get_doctest(example, dict(NAMESPACE), name, None, 0)


def run_example(example: doctest.DocTest) -> str:
    """What is wrong with an example, in doctest's words; empty where it prints what it says."""
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    return "".join(report)


@pytest.mark.parametrize(("name", "thing"), [case for module in PUBLIC for case in named(module)])
def test_every_public_name_has_an_example_that_holds(
    name: str, thing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = example_of(name, thing)
    assert example.examples, f"{name}: its docstring has no Example section with >>> lines"
    assert any(item.want for item in example.examples), f"{name}: its example prints nothing that could be wrong"
    monkeypatch.chdir(tmp_path)
    assert run_example(example) == ""


def test_every_public_name_is_seen() -> None:
    seen = {case.id for module in PUBLIC for case in named(module)}
    assert {"unroll.Graph", "unroll.static_rnn", "unroll.layers.LSTM", "unroll.nest.pack", "unroll.ops.relu"} <= seen


def test_an_example_that_does_not_hold_is_found() -> None:
    def twice(x: int) -> int:
        """Twice `x`.

        Example:
            >>> 2 * 2
            5
        """
        return 2 * x

    assert "Expected:\n    5\nGot:\n    4" in run_example(example_of("twice", twice))


def test_a_name_without_an_example_is_found() -> None:
    def silent() -> None:
        """Says nothing; `>>> 1` here is no example."""

    assert example_of("silent", silent).examples == []
