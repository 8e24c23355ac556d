"""What a program may name besides a Graph: models of layers, and modules, traced on an input of their own shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unroll import nest
from unroll.errors import ArgumentError
from unroll.graph import Graph
from unroll.layers.layer import Layer
from unroll.layers.model import Model
from unroll.nn.cell_modules import Cell
from unroll.nn.embedding_module import Embedding
from unroll.nn.linear_module import Linear
from unroll.nn.module import Module
from unroll.nn.sequence import SequenceModule
from unroll.tensor import Placeholder, placeholder

#: What the command line can show, as a Graph or traced into one.
SHOWN = (Graph, Model, Module)
#: What is not called, though it can be.
NOT_CALLED = (*SHOWN, Layer)
#: The name of the size that a model may leave open.
_TIME = "time"
#: How many steps are unrolled at most: each is a dozen nodes in memory.
_MOST_STEPS = 10**6


def traced(found: Any, what: str, dims: Mapping[str, int], taken: set[str]) -> Graph | None:
    """Return the graph of what a program named.

    Args:
        found: a Graph, a model of layers or a module; a module over time gets an input of ``(time, batch, features)``, or of
            ``(batch, time, features)`` where that is its order.
        what: how messages call it.
        dims: sizes by name; a model takes ``time`` where it leaves that open, one of several inputs ``x_time`` for its
            input x; without, it stays a symbol.
        taken: gets the names of the sizes that were taken.

    Returns:
        The graph; None for anything else.

    Raises:
        ArgumentError: a layer or a module whose input is not known.
        UnrollError: it cannot be traced.
    """
    kind = type(found)  # isinstance would ask the object, which may raise
    if issubclass(kind, Graph):
        graph: Graph = found
        return graph
    if issubclass(kind, Model):
        model: Model = found
        return model.trace(timesteps=_times(model, dims, taken))
    if issubclass(kind, Module):
        x = _input(found, what, dims, taken)
        outputs = nest.flatten(found(x))
        names = ("h", "c") if issubclass(kind, Cell) else ("output", "h_n", "c_n")
        return Graph([x], dict(zip(names, outputs, strict=False)))
    if issubclass(kind, Layer):
        raise ArgumentError(
            f"{what} is {kind.__name__}, a layer by itself, whose input is not known; name a model that begins with an "
            "Input, or a function that returns a Graph"
        )
    return None


def _times(model: Any, dims: Mapping[str, int], taken: set[str]) -> Any:
    """Return the time given for a model, or for some of its inputs; None where there is none."""
    if _TIME in dims:
        return _steps(dims, taken)
    symbols = nest.flatten(model._declared()) if dims else []
    named = {f"{name}_{_TIME}": name for name in model._input_names(symbols)}
    return {named[key]: _steps(dims, taken, key) for key in dims if key in named} or None


def _steps(dims: Mapping[str, int], taken: set[str], key: str = _TIME) -> int:
    """Return the time given."""
    taken.add(key)
    if dims[key] > _MOST_STEPS:
        raise ArgumentError(f"--dim {key}={dims[key]}: at most {_MOST_STEPS:,} steps are unrolled; give fewer")
    return dims[key]


def _input(module: Any, what: str, dims: Mapping[str, int], taken: set[str]) -> Placeholder:
    """Return the input of a module, of the shape that it takes."""
    if isinstance(module, SequenceModule):
        steps = _steps(dims, taken) if _TIME in dims else _TIME
        axes: list[str | int] = ["batch", steps] if module.batch_first else [steps, "batch"]
        return placeholder([*axes, module.input_size], "input", module.dtype)
    if isinstance(module, Cell):
        return placeholder([None, module.input_size], "input", module.dtype)
    if isinstance(module, Linear):
        return placeholder([None, module.in_features], "input", module.dtype)
    if isinstance(module, Embedding):
        return placeholder([None, None], "input", "int64")
    raise ArgumentError(
        f"{what} is {type(module).__name__}, whose input is not known; name a function that returns a Graph of it"
    )
