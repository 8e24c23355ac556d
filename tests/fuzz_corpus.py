"""The whole files that `fuzz_files.py` mutates: models of other tools and our own, arrays, tuning caches, programs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from fuzz_programs import PROGRAMS
from helpers import GOLDEN
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save as save_safetensors

import unroll

_UNITS, _STEPS = 4, 3


class Whole(NamedTuple):
    """A file before it is mutated: its kind, its name, its bytes, and what lies beside it."""

    kind: str
    name: str
    data: bytes
    beside: bytes = b""


def network(cell: str = "lstm", steps: int = _STEPS) -> unroll.Graph:
    """Return a small network; the files of arrays hold its Parameters."""
    inputs = [unroll.placeholder([None, 3], name=f"x{t}") for t in range(steps)]
    cells: dict[str, Callable[[], unroll.RNNCell]] = {
        "lstm": lambda: unroll.BasicLSTMCell(_UNITS),
        "gru": lambda: unroll.GRUCell(_UNITS),
        "rnn": lambda: unroll.BasicRNNCell(_UNITS),
        "projected": lambda: unroll.LSTMCell(_UNITS, num_proj=2, use_peepholes=True),
        "two": lambda: unroll.MultiRNNCell([unroll.BasicLSTMCell(_UNITS), unroll.GRUCell(_UNITS)]),
    }
    outputs, _ = unroll.static_rnn(cells[cell](), inputs, dtype="float32")
    return unroll.Graph(inputs, outputs)


def whole_files(folder: Path, kinds: Collection[str]) -> dict[str, list[Whole]]:
    """Return the whole files of some kinds, in the same order every time.

    Args:
        folder: where what can only be made on disk is made.
        kinds: the kinds.
    """
    makers: dict[str, Callable[[], list[Whole]]] = {
        "foreign": lambda: _golden("foreign"),
        "exporters": lambda: _golden("exporters"),
        "own": _own,
        "external": lambda: _external(folder),
        "npy": _feeds,
        "npz": _archives,
        "safetensors": lambda: [Whole("safetensors", "w.safetensors", save_safetensors(_parameters()))],
        "cache": lambda: [_cache(folder)],
        "program": lambda: [Whole("program", f"{name}.py", text.encode()) for name, text in PROGRAMS.items()],
    }
    return {kind: makers[kind]() for kind in kinds}


def _golden(kind: str) -> list[Whole]:
    return [Whole(kind, path.name, path.read_bytes()) for path in sorted((GOLDEN / kind).glob("*.onnx"))]


def _own() -> list[Whole]:
    models = _own_models().items()
    return [Whole("own", f"{name}.onnx", model.SerializeToString(deterministic=True)) for name, model in models]


def _own_models() -> dict[str, onnx.ModelProto]:
    """Return models as we write them: each form, metadata with states and limits, several dtypes and opsets, a branch."""
    models = {}
    for name in ("lstm", "gru", "rnn", "projected", "two"):
        graph = network(name)
        for form in ("unrolled", "functions", "scan"):
            models[f"{name}-{form}"] = unroll.to_onnx(graph, form=form)
        if name in ("lstm", "gru", "rnn"):
            models[f"{name}-rerolled"] = unroll.to_onnx(graph, form="rerolled")
    models["lstm-optimized"] = unroll.to_onnx(network(), optimized=True)
    models["lstm-ir10"] = unroll.to_onnx(network(), opset=21, ir_version=10)
    carried, words = _carried(), _words()
    for form in ("unrolled", "scan", "rerolled"):
        models[f"state-{form}"] = unroll.to_onnx(carried, form=form)
        models[f"words-{form}"] = unroll.to_onnx(words, form=form)
    return models | {"branch": _branch(), "split": _split()}


def _carried() -> unroll.Graph:
    """A network whose state lives between runs, said in the metadata of its model."""
    x = unroll.placeholder([None, _STEPS, 3], name="x")
    state = unroll.placeholder([None, _UNITS], name="state")
    outputs, last = unroll.dynamic_rnn(unroll.GRUCell(_UNITS), x, initial_state=state)
    return unroll.Graph([x, state], {"outputs": outputs, "last": last}, states={state: last})


def _words() -> unroll.Graph:
    """An embedding, and lengths, both with limits in the metadata of their model."""
    ids = unroll.placeholder([None, _STEPS], dtype="int32", name="ids")
    lengths = unroll.placeholder([None], dtype="int32", name="lengths")
    embedded = unroll.layers.Embedding(7, 3)(ids)
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(_UNITS), embedded, sequence_length=lengths, dtype="float32")
    return unroll.Graph([ids, lengths], {"outputs": outputs})


def _branch() -> onnx.ModelProto:
    """An If, a Loop's like among operators that are not ours: it passes through, with its two graphs."""
    inner = [
        helper.make_graph(
            [helper.make_node(op, ["x", "w"], [f"{op}_out"])],
            op,
            [],
            [helper.make_tensor_value_info(f"{op}_out", TensorProto.FLOAT, ["b", 2])],
        )
        for op in ("Add", "Mul")
    ]
    nodes = [
        helper.make_node("If", ["cond"], ["z"], then_branch=inner[0], else_branch=inner[1]),
        helper.make_node("Relu", ["z"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 2]),
        helper.make_tensor_value_info("cond", TensorProto.BOOL, []),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 2])]
    weights = [numpy_helper.from_array(np.ones((2,), np.float32), "w")]
    return _model(helper.make_graph(nodes, "branch", inputs, outputs, weights), 17)


def _split() -> onnx.ModelProto:
    """Shapes that are computed, and a Split: what native code believes too easily."""
    nodes = [
        helper.make_node("Split", ["x"], ["a", "b"], axis=1, num_outputs=2),
        helper.make_node("Shape", ["a"], ["shape"]),
        helper.make_node(
            "ConstantOfShape", ["shape"], ["c"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [2.0])
        ),
        helper.make_node("Sum", ["a", "b", "c"], ["s"]),
        helper.make_node("Reshape", ["s", "to"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 1])]
    weights = [numpy_helper.from_array(np.array([4, 1], np.int64), "to")]
    return _model(helper.make_graph(nodes, "split", inputs, outputs, weights), 18)


def _model(graph: onnx.GraphProto, opset: int) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def _external(folder: Path) -> list[Whole]:
    """Models whose weights lie in a file beside them, as other tools save large ones."""
    found = []
    # onnxruntime loads no flat model whose sizes and axes lie beside it too.
    for name, form, least in (("flat", "unrolled", 64), ("lstm", "rerolled", 0)):
        path = folder / f"{name}.onnx"
        onnx.save(
            unroll.to_onnx(network(), form=form), path, save_as_external_data=True, location="weights.bin",
            size_threshold=least, convert_attribute=True,
        )  # fmt: skip
        found.append(Whole("external", path.name, path.read_bytes(), (folder / "weights.bin").read_bytes()))
        (folder / "weights.bin").unlink()
    return found


def _parameters() -> dict[str, npt.NDArray[Any]]:
    return {name: np.asarray(item.value) for name, item in network().parameters.items()}


def _archives() -> list[Whole]:
    """The Parameters of `network`, as they are and packed."""
    whole = []
    for name, write in (("plain", np.savez), ("packed", np.savez_compressed)):
        buffer = io.BytesIO()
        write(buffer, **_parameters())
        whole.append(Whole("npz", f"{name}.npz", buffer.getvalue()))
    return whole


def _feeds() -> list[Whole]:
    """One feed of `network`, in two dtypes and orders."""
    whole = []
    for name, array in (("feed", np.ones((2, 3), np.float32)), ("double", np.asfortranarray(np.ones((2, 3))))):
        buffer = io.BytesIO()
        np.save(buffer, array)
        whole.append(Whole("npy", f"{name}.npy", buffer.getvalue()))
    return whole


def _cache(folder: Path) -> Whole:
    """An entry of the tuning cache under the name it is looked up by here; the times in it are made up."""
    unroll.compile(network(steps=1), batch=1, cache=folder / "tuning")
    (path,) = (folder / "tuning").glob("*.json")
    entry = json.loads(path.read_text(encoding="utf-8"))
    for place, item in enumerate(entry["candidates"]):
        item.update(seconds=1e-5 * (place + 1), quick=1e-5 * (place + 1), difference=1e-7, note="")
    entry.update(form=entry["candidates"][0]["form"], threads=entry["candidates"][0]["threads"])
    return Whole("cache", path.name, json.dumps(entry, indent=1).encode())
