"""Weights in files beside a model: read from the model's folder, wherever the tensor stands, and from nowhere else."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper

import unroll

FLOAT = TensorProto.FLOAT
#: What the file beside the model holds, and what one of the same name in the current folder does.
RIGHT, DECOY = [1.0, 2.0, 3.0, 4.0], [100.0, 200.0, 300.0, 400.0]


def outside(
    name: str = "w", dims: tuple[int, ...] = (4,), location: str = "w.bin", **entries: str | int
) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=FLOAT, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def model(
    nodes: list[onnx.NodeProto],
    weights: tuple[onnx.TensorProto, ...] = (),
    functions: tuple[onnx.FunctionProto, ...] = (),
) -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, FLOAT, [4]) for name in ("x", "y"))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    graph = helper.make_graph(nodes, "g", [x], [y], list(weights))
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)


def constant() -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["w"], value=outside())


def add(first: str = "x", result: str = "y") -> onnx.NodeProto:
    return helper.make_node("Add", [first, "w"], [result])


def branching(inner: list[onnx.NodeProto], weights: tuple[onnx.TensorProto, ...]) -> onnx.ModelProto:
    """``y = x + w`` inside a branch."""
    branch = helper.make_graph([*inner, add(result="z")], "b", [], [helper.make_tensor_value_info("z", FLOAT, [4])])
    branch.initializer.extend(weights)
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return model([helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)], (yes,))


def in_function() -> onnx.ModelProto:
    made = helper.make_function("mine", "F", ["x"], ["y"], [constant(), add()], [helper.make_opsetid("", 17)])
    return model([helper.make_node("F", ["x"], ["y"], domain="mine")], functions=(made,))


WHERE: dict[str, Callable[[], onnx.ModelProto]] = {
    "initializer": lambda: model([add()], (outside(),)),
    "constant": lambda: model([constant(), add()]),
    "initializer of a branch": lambda: branching([], (outside(),)),
    "constant of a branch": lambda: branching([constant()], ()),
    "constant of a function": in_function,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the model with its data, and another one to be in that has data of the same name."""
    for name, values in (("model", RIGHT), ("current", DECOY)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "w.bin").write_bytes(struct.pack("<4f", *values))
    monkeypatch.chdir(tmp_path / "current")
    return tmp_path / "model"


def saved(home: Path, proto: onnx.ModelProto) -> Path:
    path = home / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def both(path: Path) -> list[Array]:
    """What a model gives for zeros, read by us and written again, and by onnxruntime as it is."""
    zeros = {"x": np.zeros(4, np.float32)}
    return [unroll.Session(unroll.from_onnx(path)).run(zeros)["y"], unroll.Session(path).run(zeros)["y"]]


@pytest.mark.parametrize("make", WHERE.values(), ids=WHERE)
def test_data_is_that_of_the_models_folder_wherever_the_tensor_stands(
    home: Path, make: Callable[[], onnx.ModelProto]
) -> None:
    for found in both(saved(home, make())):
        assert found.tolist() == RIGHT


def test_offset_and_length_say_which_bytes(home: Path) -> None:
    proto = model([add()], (outside(dims=(1,), offset=8, length=4),))
    for found in both(saved(home, proto)):
        assert found.tolist() == [3.0] * 4


def test_a_folder_within_the_models_folder_and_a_link_within_it_are_inside(home: Path) -> None:
    (home / "deep").mkdir()
    (home / "w.bin").rename(home / "deep" / "w.bin")
    (home / "link.bin").symlink_to(home / "deep" / "w.bin")
    for location in ("deep/w.bin", "link.bin"):
        path = saved(home, model([add()], (outside(location=location),)))
        assert unroll.from_onnx(path).run({"x": np.zeros(4)})["y"].tolist() == RIGHT


def test_a_model_that_is_a_link_finds_its_data_beside_what_it_leads_to(home: Path) -> None:
    path = saved(home, WHERE["initializer"]())
    link = home.parent / "current" / "other.onnx"
    (home.parent / "current" / "w.bin").unlink()
    (home.parent / "current" / "w.bin").symlink_to(home / "w.bin")
    link.symlink_to(path)
    assert unroll.from_onnx(link).run({"x": np.zeros(4)})["y"].tolist() == RIGHT


def test_a_model_that_has_no_folder_is_refused_with_the_fix(home: Path) -> None:
    for make in WHERE.values():
        proto = make()
        refused(lambda proto=proto: unroll.from_onnx(proto), NotImplementedError, "other files", "path", "onnx.load")
        refused(lambda proto=proto: unroll.Session(proto), NotImplementedError, "other files", "path", "onnx.load")


def leading_out(home: Path) -> str:
    (home / "out.bin").symlink_to(home.parent / "current" / "w.bin")
    return "out.bin"


REFUSED: dict[str, tuple[Callable[[Path], onnx.TensorProto], type[Exception], list[str]]] = {
    "above": (lambda home: outside(location="../current/w.bin"), ValueError, ["'../current/w.bin'", "outside"]),
    "absolute": (lambda home: outside(location=str(home / "w.bin")), ValueError, ["w.bin", "outside"]),
    "link": (lambda home: outside(location=leading_out(home)), ValueError, ["'out.bin'", "outside"]),
    "folder": (lambda home: outside(location="."), OSError, ["no regular file"]),
    "no name": (lambda home: outside(location=""), ValueError, ["no valid name"]),
    "NUL": (lambda home: outside(location="w\0.bin"), ValueError, ["no valid name"]),
    "memory": (lambda home: outside(location="*/_ORT_MEM_ADDR_/*", offset=1), OSError, ["_ORT_MEM_ADDR_"]),
    "missing": (lambda home: outside(location="none.bin"), OSError, ["none.bin"]),
    "too long": (lambda home: outside(length=20), ValueError, ["20", "16"]),
    "too far": (lambda home: outside(offset=4), ValueError, ["20", "'w.bin'", "16"]),
    "far beyond": (lambda home: outside(offset=2**63 - 1), ValueError, ["'w.bin'", "16"]),
    "below zero": (lambda home: outside(offset=-4), ValueError, ["offset", "'-4'"]),
    "no number": (lambda home: outside(length="many"), ValueError, ["length", "'many'"]),
    "endless number": (lambda home: outside(length="9" * 5000), ValueError, ["length", "999"]),
    "huge": (lambda home: outside(dims=(2**31, 2**31)), ValueError, ["'w.bin'", "16"]),
}


@pytest.mark.parametrize(("make", "builtin", "fragments"), REFUSED.values(), ids=REFUSED)
def test_data_that_is_not_there_or_must_not_be_read_is_refused_by_name(
    home: Path, make: Callable[[Path], onnx.TensorProto], builtin: type[Exception], fragments: list[str]
) -> None:
    weight = make(home)
    paths = [
        saved(home, model([add()], (weight,))),
        saved(home, model([helper.make_node("Constant", [], ["w"], value=weight), add()])),
    ]
    for path in paths:
        refused(lambda path=path: unroll.from_onnx(path), builtin, str(path), "'w", *fragments)
        refused(lambda path=path: unroll.Session(path), builtin, str(path), *fragments)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_no_data(home: Path) -> None:
    os.mkfifo(home / "pipe")
    path = saved(home, model([add()], (outside(location="pipe"),)))
    refused(lambda: unroll.from_onnx(path), OSError, "pipe", "no regular file")
    refused(lambda: unroll.Session(path), OSError, "pipe", "no regular file")
