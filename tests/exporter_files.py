"""What is promised of a file of another exporter, step by step, and what became of it: for the tests and for the table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from helpers import GOLDEN, Array, golden_arrays, golden_json
from onnx import ModelProto

import unroll
from unroll.export.file_unrolling import unroll_file

FOLDER = GOLDEN / "exporters"
LOOPS = frozenset(["GRU", "If", "LSTM", "Loop", "RNN", "Scan"])
FAMILIES = ("keras", "torch")
#: The networks of which each exporter was asked.
ALL_CASES: list[dict[str, Any]] = [
    case for family in FAMILIES for case in golden_json(f"exporters/{family}.json")["cases"]
]
#: Those of which it wrote a file that onnxruntime runs.
CASES = [case for case in ALL_CASES if "refused" not in case and "invalid" not in case]
STEPS = ("opened", "verified", "flat", "re-rolled")


def path_of(case: dict[str, Any]) -> Path:
    return FOLDER / f"{case['id']}.onnx"


def runs(case: dict[str, Any]) -> list[tuple[dict[str, Array], list[Array]]]:
    """What a case was fed at each of its sizes, and what its framework computed."""
    arrays = golden_arrays(f"exporters/{'keras' if case['made_by'] == 'keras' else 'torch'}.npz")
    found = []
    for batch, time in case["sizes"]:
        key = f"{case['id']}/{batch}/{time}"
        feeds = {name: arrays[f"{key}/in{place}"] for place, name in enumerate(case["inputs"])}
        found.append((feeds, [arrays[f"{key}/out{place}"] for place in range(len(case["outputs"]))]))
    return found


def kinds(model: ModelProto) -> set[str]:
    """The operators of a model, those inside others too."""
    waiting, found = [model.graph], set()
    while waiting:
        for node in waiting.pop().node:
            found.add(node.op_type)
            waiting += [item.g for item in node.attribute if item.HasField("g")]
    return found


def open_sizes(case: dict[str, Any], feeds: dict[str, Array]) -> dict[str, int]:
    """The open sizes of a file but its batch, by name, as the feeds have them."""
    found = {}
    for item in onnx.load(path_of(case)).graph.input:
        for axis, size in enumerate(item.type.tensor_type.shape.dim if item.name in feeds else ()):
            if size.dim_param and feeds[item.name].shape[axis] != case["sizes"][0][0]:
                found[size.dim_param] = int(feeds[item.name].shape[axis])
    return found


def opened(case: dict[str, Any]) -> None:
    """NumPy computes of the file what the framework did, at every size."""
    graph = unroll.from_onnx(path_of(case))
    for feeds, wanted in runs(case):
        close(list(graph.run(feeds).values()), wanted)


def verified(case: dict[str, Any]) -> None:
    """`verify` proves the file on its own bytes."""
    assert unroll.verify(path_of(case))


def flat(case: dict[str, Any]) -> None:
    """The file is written without loops, with its time given by name, and computes the same."""
    (feeds, wanted), dims = runs(case)[0], open_sizes(case, runs(case)[0][0])
    with tempfile.TemporaryDirectory() as folder:
        if kinds(onnx.load(path_of(case))) & LOOPS:
            model = onnx.load(unroll_file(path_of(case), Path(folder) / "flat.onnx", dims=dims).path)
        else:
            model = unroll.to_onnx(unroll.from_onnx(path_of(case), dims=dims))
    assert not kinds(model) & LOOPS
    close(run_model(model, feeds), wanted)


def rerolled(case: dict[str, Any]) -> tuple[set[str], str]:
    """What is flat is re-rolled, and computes the same; the operators that it became, and by what proof."""
    feeds, wanted = runs(case)[0]
    steps, told = unroll.unroll(unroll.from_onnx(path_of(case), dims=open_sizes(case, feeds)), check=False)
    assert not told.left, str(told)
    small, report = unroll.reroll(steps)
    model = unroll.to_onnx(small)
    close(run_model(model, feeds), wanted)
    assert kinds(model) & LOOPS, str(report)
    return kinds(model) & LOOPS, str(report.proof).partition(":")[0]


def close(found: list[Array], wanted: list[Array]) -> None:
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def run_model(model: ModelProto, feeds: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {item.name: feeds[item.name] for item in session.get_inputs()}))


def outcomes(case: dict[str, Any]) -> dict[str, str]:
    """What became of a case at each step: nothing, or why it failed."""
    steps: tuple[Callable[[dict[str, Any]], Any], ...] = (opened, verified, flat, rerolled)
    found = {}
    for name, step in zip(STEPS, steps, strict=True):
        try:
            step(case)
        except (AssertionError, unroll.UnrollError) as error:
            found[name] = " ".join(str(error).split())
        else:
            found[name] = ""
    return found
