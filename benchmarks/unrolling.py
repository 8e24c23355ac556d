"""What unrolling costs: LSTM(512) over 1,000 steps, with its file; whether time grows with steps and layers; and back again.

``python benchmarks/unrolling.py`` prints two tables. The first has the processor's time of the fastest of several calls, the
second medians of runs in onnxruntime, in turns.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll.export.file_rerolling import opset_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from exporter_files import CASES, open_sizes, path_of, runs

_ROUNDS, _CALLS = 25, 20
#: What two runs of the same differ by.
_NOISE = 0.05


def lstm_model(units: int, steps: int, layers: int = 1) -> onnx.ModelProto:
    """A file of LSTM nodes on top of one another."""
    draw = np.random.default_rng(0)
    nodes, weights, given = [], [], "x"
    for layer in range(layers):
        shapes = {"W": (1, 4 * units, units), "R": (1, 4 * units, units), "B": (1, 8 * units)}
        arrays = {f"{name}{layer}": draw.normal(0, 0.05, size).astype("float32") for name, size in shapes.items()}
        weights += [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        nodes.append(helper.make_node("LSTM", [given, *arrays], [f"Y{layer}"], f"lstm{layer}", hidden_size=units))
        axes = numpy_helper.from_array(np.array([1]), f"axes{layer}")
        weights.append(axes)
        given = f"y{layer}"
        nodes.append(helper.make_node("Squeeze", [f"Y{layer}", axes.name], [given]))
    graph = helper.make_graph(
        nodes,
        "lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, "batch", units])],
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, [steps, "batch", units])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def seconds(call: Callable[[], Any], times: int = 3) -> float:
    """Return the processor's time of the fastest call."""
    found = []
    for _ in range(times):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def costs() -> None:
    """Print what unrolling takes, alone and with its proof and the file, over steps and layers."""
    print("| LSTM | steps | layers | unrolled | with its proof | unrolled and written | the file |\n|" + " --- |" * 7)
    for units, steps, layers in (
        (512, 1000, 1),
        (13, 250, 1),
        (13, 1000, 1),
        (13, 4000, 1),
        (13, 1000, 2),
        (13, 1000, 4),
    ):
        graph = unroll.from_onnx(lstm_model(units, steps, layers))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "flat.onnx"
            alone = seconds(lambda graph=graph: unroll.unroll(graph, check=False))
            proven = seconds(lambda graph=graph: unroll.unroll(graph), 1)
            written = seconds(lambda graph=graph, path=path: unroll.save(unroll.unroll(graph, check=False)[0], path), 2)
            size = path.stat().st_size / 1e6
        cells = [f"{alone:.2f} s", f"{proven:.2f} s", f"{written:.2f} s", f"{size:.1f} MB"]
        print(f"| {units} | {steps} | {layers} | {' | '.join(cells)} |", flush=True)


def paired(models: Sequence[bytes], feeds: dict[str, Any]) -> list[float]:
    """Return the median times of models, run in turns on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    sessions = [onnxruntime.InferenceSession(item, options, providers=["CPUExecutionProvider"]) for item in models]
    times: list[list[float]] = [[] for _ in models]
    for turn in range(_ROUNDS):
        for place in range(len(models))[:: 1 if turn % 2 else -1]:
            fed = {item.name: feeds[item.name] for item in sessions[place].get_inputs()}
            start = time.perf_counter()
            for _ in range(_CALLS):
                sessions[place].run(None, fed)
            times[place].append((time.perf_counter() - start) / _CALLS)
    return [float(np.median(items)) for items in times]


def back_again() -> None:
    """Print how fast what was unrolled and re-rolled is beside the file that it came from."""
    print("| file | the file | flat | flat and re-rolled | re-rolled / flat | re-rolled / file |\n|" + " --- |" * 6)
    ratios = []
    for case in CASES:
        feeds, _ = runs(case)[0]
        dims = open_sizes(case, feeds)
        flat, report = unroll.unroll(unroll.from_onnx(path_of(case), dims=dims), check=False)
        small, rerolled = unroll.reroll(flat, check=False)
        if not report or not rerolled:
            continue
        original = onnx.load(path_of(case))
        written = [unroll.to_onnx(graph, opset=opset_of(original), fold_weights=True) for graph in (flat, small)]
        models = [original, *written]
        before, steps, after = paired([model.SerializeToString() for model in models], feeds)
        ratios.append((after / steps, after / before))
        times = " | ".join(f"{1e6 * item:.1f} µs" for item in (before, steps, after))
        print(f"| {case['id']} | {times} | {after / steps:.2f} | {after / before:.2f} |", flush=True)
    for place, what in enumerate(("flat file", "file of the exporter")):
        found = [pair[place] for pair in ratios]
        slower = sum(ratio > 1 + _NOISE for ratio in found)
        print(f"beside the {what}: median {np.median(found):.2f}; of {len(found)}, {slower} are more than 5 % slower")


if __name__ == "__main__":
    costs()
    print()
    back_again()
