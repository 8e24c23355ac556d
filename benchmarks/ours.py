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
    """Trace the row's LSTM, with its weights: step by step, or where it is `rolled` one step for all."""
    import unroll

    arrays = row.arrays()
    x = unroll.placeholder([row.steps, row.batch, row.inputs], name="X")
    cell = unroll.BasicLSTMCell(row.units, forget_bias=FORGET_BIAS)
    if rolled:
        stacked, state = unroll.dynamic_rnn(cell, x, time_major=True, rolled=True)
    else:
        outputs, state = unroll.static_rnn(cell, unroll.ops.unstack(x, axis=0))
        stacked = unroll.ops.stack(outputs, axis=0)
    graph = unroll.Graph([x], {"Y": stacked, "h": state.h, "c": state.c})
    cell.kernel.assign(arrays["kernel"])
    cell.bias.assign(arrays["bias"])
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
