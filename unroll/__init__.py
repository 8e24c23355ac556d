"""Trace recurrent cells over a fixed list of timesteps into an explicit graph; draw it, export it to ONNX, run it.

Everything is imported when first used, so that ``import unroll`` loads neither onnxruntime nor Graphviz.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unroll import cells, nest, ops
    from unroll.cells import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMStateTuple, MultiRNNCell, RNNCell
    from unroll.drivers import dynamic_rnn, static_rnn
    from unroll.errors import UnrollError, UnrollWarning
    from unroll.export.lowering import to_onnx
    from unroll.export.saving import save
    from unroll.export.session import Session
    from unroll.export.verification import verify
    from unroll.graph import Graph
    from unroll.parameter import Parameter
    from unroll.scopes import scope
    from unroll.tensor import Tensor, constant, placeholder
    from unroll.tracing import trace
    from unroll.viz.drawing import draw

__version__ = "0.1.0"

_HOME = {
    "BasicLSTMCell": "unroll.cells",
    "BasicRNNCell": "unroll.cells",
    "GRUCell": "unroll.cells",
    "Graph": "unroll.graph",
    "LSTMStateTuple": "unroll.cells",
    "MultiRNNCell": "unroll.cells",
    "Parameter": "unroll.parameter",
    "RNNCell": "unroll.cells",
    "Session": "unroll.export.session",
    "Tensor": "unroll.tensor",
    "UnrollError": "unroll.errors",
    "UnrollWarning": "unroll.errors",
    "constant": "unroll.tensor",
    "draw": "unroll.viz.drawing",
    "dynamic_rnn": "unroll.drivers",
    "placeholder": "unroll.tensor",
    "save": "unroll.export.saving",
    "scope": "unroll.scopes",
    "static_rnn": "unroll.drivers",
    "to_onnx": "unroll.export.lowering",
    "trace": "unroll.tracing",
    "verify": "unroll.export.verification",
}
_MODULES = ("cells", "nest", "ops")

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "GRUCell",
    "Graph",
    "LSTMStateTuple",
    "MultiRNNCell",
    "Parameter",
    "RNNCell",
    "Session",
    "Tensor",
    "UnrollError",
    "UnrollWarning",
    "cells",
    "constant",
    "draw",
    "dynamic_rnn",
    "nest",
    "ops",
    "placeholder",
    "save",
    "scope",
    "static_rnn",
    "to_onnx",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = import_module(f"unroll.{name}")
    else:
        raise AttributeError(f"module 'unroll' has no attribute {name!r}")
    if name == "Graph":
        _show_graphs_as_pictures()
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _show_graphs_as_pictures() -> None:
    """Let notebooks show a Graph as its picture; Graphviz is imported when the first one is shown."""
    from unroll.display import set_hook

    def show(graph: Graph) -> dict[str, Any]:
        from unroll.viz.drawing import mimebundle

        return mimebundle(graph)

    set_hook(show)
