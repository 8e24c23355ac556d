"""Trace recurrent cells over a fixed list of timesteps into an explicit graph; draw it, export it to ONNX, run it.

Everything is imported when first used, so that ``import unroll`` loads neither onnxruntime nor Graphviz.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unroll import display, foreign_names, operation_table, words
from unroll.version import __version__ as __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unroll import activations, cells, initializers, keras, layers, nest, nn, ops, seq2seq, tf1
    from unroll.cells import (
        BasicLSTMCell,
        BasicRNNCell,
        GRUCell,
        LSTMCell,
        LSTMStateTuple,
        MultiRNNCell,
        RNNCell,
        TensorShape,
    )
    from unroll.drivers import (
        StateSaver,
        bidirectional_dynamic_rnn,
        dynamic_rnn,
        raw_rnn,
        stack_bidirectional_dynamic_rnn,
        stack_bidirectional_rnn,
        static_bidirectional_rnn,
        static_rnn,
        static_state_saving_rnn,
    )
    from unroll.errors import UnrollError, UnrollWarning
    from unroll.export.c.source import to_c
    from unroll.export.compiler import compile
    from unroll.export.lowering import to_onnx
    from unroll.export.reading.reader import from_onnx
    from unroll.export.running.session import Session
    from unroll.export.running.session_batches import run_many
    from unroll.export.saving import save
    from unroll.export.verifying.verification import verify
    from unroll.gate_order.checking import check_gate_order
    from unroll.graph import Graph
    from unroll.parameter import Parameter
    from unroll.passes.pipeline import optimize
    from unroll.passes.proving.equivalence import equivalent
    from unroll.passes.rerolling.planner import reroll
    from unroll.passes.unrolling.planner import unroll
    from unroll.scopes import scope, step
    from unroll.streaming import Stream
    from unroll.tensor import Tensor, constant, placeholder
    from unroll.tracing import trace
    from unroll.viz.drawing import draw
    from unroll.viz.explaining.explanation import explain
    from unroll.viz.numbers.diff import draw_diff
    from unroll.viz.numbers.kernels import draw_kernel
    from unroll.viz.numbers.values import draw_values
    from unroll.viz.page.viewing import view

_HERE = Path(__file__).resolve().parent
if (
    not (_HERE / "export").is_dir()
    and (_HERE.parent / "export" / "lowering.py").is_file()
    and find_spec("unroll.export") is None
):  # a checkout on the path that is not installed: export/ and viz/ lie beside unroll/, not in it
    __path__.append(str(_HERE.parent))

operation_table.set_hook(lambda: import_module("unroll.ops"))  # when a tensor is first computed with

_HOME = {
    "BasicLSTMCell": "unroll.cells",
    "BasicRNNCell": "unroll.cells",
    "GRUCell": "unroll.cells",
    "Graph": "unroll.graph",
    "LSTMCell": "unroll.cells",
    "LSTMStateTuple": "unroll.cells",
    "MultiRNNCell": "unroll.cells",
    "Parameter": "unroll.parameter",
    "RNNCell": "unroll.cells",
    "Session": "unroll.export.running.session",
    "StateSaver": "unroll.drivers",
    "Stream": "unroll.streaming",
    "Tensor": "unroll.tensor",
    "TensorShape": "unroll.cells",
    "UnrollError": "unroll.errors",
    "UnrollWarning": "unroll.errors",
    "bidirectional_dynamic_rnn": "unroll.drivers",
    "check_gate_order": "unroll.gate_order.checking",
    "compile": "unroll.export.compiler",
    "constant": "unroll.tensor",
    "draw": "unroll.viz.drawing",
    "draw_diff": "unroll.viz.numbers.diff",
    "draw_kernel": "unroll.viz.numbers.kernels",
    "draw_values": "unroll.viz.numbers.values",
    "dynamic_rnn": "unroll.drivers",
    "equivalent": "unroll.passes.proving.equivalence",
    "explain": "unroll.viz.explaining.explanation",
    "from_onnx": "unroll.export.reading.reader",
    "optimize": "unroll.passes.pipeline",
    "placeholder": "unroll.tensor",
    "raw_rnn": "unroll.drivers",
    "reroll": "unroll.passes.rerolling.planner",
    "run_many": "unroll.export.running.session_batches",
    "save": "unroll.export.saving",
    "scope": "unroll.scopes",
    "stack_bidirectional_dynamic_rnn": "unroll.drivers",
    "stack_bidirectional_rnn": "unroll.drivers",
    "static_bidirectional_rnn": "unroll.drivers",
    "static_rnn": "unroll.drivers",
    "static_state_saving_rnn": "unroll.drivers",
    "step": "unroll.scopes",
    "to_c": "unroll.export.c.source",
    "to_onnx": "unroll.export.lowering",
    "trace": "unroll.tracing",
    "unroll": "unroll.passes.unrolling.planner",
    "verify": "unroll.export.verifying.verification",
    "view": "unroll.viz.page.viewing",
}
_MODULES = ("activations", "cells", "initializers", "keras", "layers", "nest", "nn", "ops", "seq2seq", "tf1")

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "GRUCell",
    "Graph",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "Parameter",
    "RNNCell",
    "Session",
    "StateSaver",
    "Stream",
    "Tensor",
    "TensorShape",
    "UnrollError",
    "UnrollWarning",
    "activations",
    "bidirectional_dynamic_rnn",
    "cells",
    "check_gate_order",
    "compile",
    "constant",
    "draw",
    "draw_diff",
    "draw_kernel",
    "draw_values",
    "dynamic_rnn",
    "equivalent",
    "explain",
    "from_onnx",
    "initializers",
    "keras",
    "layers",
    "nest",
    "nn",
    "ops",
    "optimize",
    "placeholder",
    "raw_rnn",
    "reroll",
    "run_many",
    "save",
    "scope",
    "seq2seq",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
    "step",
    "tf1",
    "to_c",
    "to_onnx",
    "trace",
    "unroll",
    "verify",
    "view",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)  # what is not used is not loaded
    elif name in _MODULES:
        value = import_module(f"unroll.{name}")  # what is not used is not loaded
    else:
        raise words.absent("unroll", name, __all__, lambda: foreign_names.UNROLL, sys._getframe(1))
    globals()[name] = value
    return value


def _elsewhere(name: str) -> str | None:
    """Return where a name is that was looked for in another place, or what it is called here; for messages."""
    if name in __all__:
        return f"it is unroll.{name}"
    ours = [home for home in _MODULES if home != "tf1"]  # whose names are TensorFlow's
    homes = {home: import_module(f"unroll.{home}") for home in ("ops", *ours)}  # when somebody reads the message
    home = next((home for home, module in homes.items() if name in module.__all__), None)
    if home is not None:
        return f"it is unroll.{home}.{name}"
    tables = (foreign_names.UNROLL, homes["ops"].ADVICE, foreign_names.LAYERS, foreign_names.NN)
    return next((table[name] for table in tables if name in table), None)


words.set_elsewhere(_elsewhere)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _show_graphs_as_pictures() -> None:
    """Let notebooks show a Graph as its picture; Graphviz is imported when the first one is shown."""

    def show(graph: Graph) -> dict[str, Any]:
        from unroll.viz.drawing import mimebundle  # loads Graphviz

        return mimebundle(graph)

    def places(graph: Graph) -> Graph:
        from unroll.passes import places  # loads the search for steps

        return places.places(graph)

    def flat(graph: Graph, dims: Mapping[str, int]) -> Graph:
        from unroll.passes.unrolling.planner import unroll  # loads the writers of loops

        return unroll(graph, dims=dims)[0]

    display.set_hook(show)
    display.set_flat(flat)
    display.set_places(places)


_show_graphs_as_pictures()
