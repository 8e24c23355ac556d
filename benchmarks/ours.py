"""Our side: the program, its forms as ONNX models, and jobs that are measured in a process of their own.

ours.py build 28_1_28_13            trace, optimise, export: seconds and peak memory
ours.py passes 28_1_28_13           seconds and nodes, pass by pass
ours.py save 28_1_28_13 flat.onnx   the unrolled form, optimised, as a file
ours.py load 28_1_28_13 flat.onnx WHOSE    into onnxruntime and once through; WHOSE is ours or plain
ours.py first 28_1_28_13 FORM       from the first line of the program to the first result
ours.py import                      what ``import unroll`` costs beyond NumPy
"""

from __future__ import annotations

import inspect
import json
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy  # noqa: F401  (not part of what importing unroll costs)
from cases import FORGET_BIAS, Row, peak_memory


class MissingError(Exception):
    """What was asked for is not there in this version; the message says what."""


def program(row: Row, rolled: bool = False) -> Any:
    """Trace the row's program, with its weights: step by step, or where it is `rolled` one step for all."""
    import unroll

    x = unroll.placeholder([row.steps, row.batch, row.inputs], name="X")
    weights = row.cells()
    cells = [unroll.BasicLSTMCell(row.units, forget_bias=FORGET_BIAS) for _ in weights]
    state = None
    if rolled:
        stacked, state = unroll.dynamic_rnn(cells[0], x, time_major=True, rolled=True)
    else:
        steps = unroll.ops.unstack(x, axis=0)
        if row.network == "directions":
            outputs, _, _ = unroll.static_bidirectional_rnn(*cells, steps)
        elif row.network == "layers":
            outputs, _ = unroll.static_rnn(unroll.MultiRNNCell(cells), steps)
        else:
            outputs, state = unroll.static_rnn(cells[0], steps)
        stacked = unroll.ops.stack(outputs, axis=0)
    graph = unroll.Graph([x], {"Y": stacked} if state is None else {"Y": stacked, "h": state.h, "c": state.c})
    for cell, (kernel, bias) in zip(cells, weights, strict=True):
        cell.kernel.assign(kernel)
        cell.bias.assign(bias)
    return graph


def torch_program(row: Row) -> Any:
    """Trace what torch's peer is: nn.LSTM, whose h and c have an axis for layers and directions."""
    import unroll

    x = unroll.placeholder([row.steps, row.batch, row.inputs], name="X")
    network = unroll.nn.LSTM(
        row.inputs, row.units, num_layers=1 + (row.network == "layers"), bidirectional=row.network == "directions"
    )
    y, (h, c) = network(x)
    graph = unroll.Graph([x], dict(zip(row.output_names, (y, h, c), strict=False)))
    network.load_state_dict(row.state_dict())
    return graph


def face(name: str) -> Callable[..., Any]:
    """Return a function of the package's face, or raise MissingError."""
    import unroll

    found: Callable[..., Any] | None = getattr(unroll, name, None)
    if found is None:
        raise MissingError(f"there is no unroll.{name}")
    return found


def in_form(graph: Any, form: str, batch: int) -> Any:
    """Return the model of a graph in one form: unrolled as traced, "optimised", or another of to_onnx's.

    Raises:
        MissingError: there is no such form, or this graph cannot take it.
    """
    to_onnx = face("to_onnx")
    if form == "unrolled":
        return to_onnx(graph)
    if "form" not in inspect.signature(to_onnx).parameters:
        raise MissingError("to_onnx has no forms")
    try:
        if form == "optimised":
            return to_onnx(graph, form="unrolled", optimized=True, batch=batch)
        return to_onnx(graph, form=form, batch=batch)
    except face("UnrollError") as error:  # type: ignore[misc]
        raise MissingError(str(error)) from error


@lru_cache(maxsize=1)
def compiled(row: Row, threads: int | None) -> Any:
    """Return the Session that `unroll.compile` measures to be the fastest, here and now; `threads` is what it may find."""
    return face("compile")(program(row), batch=row.batch, tune=True, cache=False)


def build(row: Row, form: str) -> dict[str, Any]:
    """From the first line of the program to the bytes of the model."""
    face("Graph"), face("to_onnx"), face("static_rnn")  # imports are not part of the figure
    clock = time.perf_counter
    start = clock()
    graph = program(row)
    traced = clock()
    model = in_form(graph, form, row.batch)
    data = model.SerializeToString()
    end = clock()
    found = {"trace": traced - start, "export": end - traced, "seconds": end - start, "peak": peak_memory()}
    return found | {"nodes": len(model.graph.node), "bytes": len(data)}


def passes(row: Row) -> dict[str, Any]:
    """Run the default passes one by one: [name, seconds, nodes after it] of each."""
    optimize = face("optimize")
    default = import_module("unroll.passes.pipeline").DEFAULT
    graph = program(row)
    found: list[tuple[str, float, int]] = [("(as traced)", 0.0, len(graph.nodes))]
    for name in default:
        start = time.perf_counter()
        graph = optimize(graph, [name])
        found.append((name, time.perf_counter() - start, len(graph.nodes)))
    return {"passes": found}


def save(row: Row, target: Path) -> dict[str, Any]:
    """Write the flat form."""
    target.write_bytes(in_form(program(row), "optimised", row.batch).SerializeToString())
    return {}


def load(row: Row, path: Path, whose: str) -> dict[str, Any]:
    """Create a session of a model and run it once: through our Session, or onnxruntime's with its own settings."""
    import onnx
    import onnxruntime as ort

    feeds = {"X": row.arrays()["X"]}
    make = face("Session")
    model = onnx.load(path)
    start = time.perf_counter()
    if whose == "ours":
        session = make(model)
        created = time.perf_counter()
        session.run(feeds)
    else:
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        created = time.perf_counter()
        session.run(None, feeds)
    return {"seconds": created - start, "peak": peak_memory()}


def first_result(row: Row, form: str) -> dict[str, Any]:
    """From the first line of the program, traced rolled, to the first result, in one form."""
    Session = face("Session")  # noqa: N806 (a class)
    feeds = {"X": row.arrays()["X"]}
    start = time.perf_counter()
    graph = program(row, rolled=True)
    traced = time.perf_counter()
    model = in_form(graph, form, row.batch)
    exported = time.perf_counter()
    found = Session(model).run(feeds)
    end = time.perf_counter()
    assert set(found) == {"Y", "h", "c"}
    return {"seconds": end - start, "trace": traced - start, "export": exported - traced, "peak": peak_memory()}


def importing() -> dict[str, Any]:
    """Import the package; heavy packages must not come along."""
    start = time.perf_counter()
    import unroll

    for name in ("placeholder", "static_rnn", "BasicLSTMCell", "Graph"):
        getattr(unroll, name)
    seconds = time.perf_counter() - start
    heavy = [name for name in ("onnx", "onnxruntime", "graphviz", "pygraphviz", "networkx") if name in sys.modules]
    if heavy:
        sys.exit(f"import unroll loaded {heavy}")
    return {"seconds": seconds}


def main(arguments: list[str]) -> dict[str, Any]:
    match arguments:
        case ["build", row, form]:
            return build(Row.parse(row), form)
        case ["passes", row]:
            return passes(Row.parse(row))
        case ["save", row, target]:
            return save(Row.parse(row), Path(target))
        case ["load", row, path, whose]:
            return load(Row.parse(row), Path(path), whose)
        case ["first", row, form]:
            return first_result(Row.parse(row), form)
        case ["import"]:
            return importing()
    sys.exit(__doc__)


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1:])))
    except MissingError as error:
        print(json.dumps({"missing": str(error)}))
