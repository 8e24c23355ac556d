"""`unroll unroll` on files and flags that no honest user writes: one line that says what to mend, and nothing written."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_checks import refused, run
from helpers import GOLDEN
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

LSTM = GOLDEN / "exporters" / "torchscript-lstm-bt.onnx"
BOUND = ("--dim", "time=5")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def looping(count: int, depth: int = 1) -> bytes:
    """Loops within one another, each of so many runs, around one addition, as bytes: onnx's helpers copy no deep graphs."""
    true = numpy_helper.from_array(np.array(True))
    inner = helper.make_node("Add", ["state0", "state0"], ["new0"]).SerializeToString()
    for level in range(depth):
        yes = helper.make_node("Constant", [], [f"yes{level}"], value=true).SerializeToString()
        ends = helper.make_graph(
            [],
            f"body{level}",
            [
                helper.make_tensor_value_info(f"run{level}", TensorProto.INT64, []),
                helper.make_tensor_value_info(f"old{level}", TensorProto.BOOL, []),
                helper.make_tensor_value_info(f"state{level}", TensorProto.FLOAT, [2]),
            ],
            [
                helper.make_tensor_value_info(f"yes{level}", TensorProto.BOOL, []),
                helper.make_tensor_value_info(f"new{level}", TensorProto.FLOAT, [2]),
            ],
        )
        body = ends.SerializeToString() + within(1, yes) + within(1, inner)
        attribute = AttributeProto(name="body", type=AttributeProto.GRAPH).SerializeToString() + within(6, body)
        start = f"state{level + 1}" if level + 1 < depth else "x"
        node = helper.make_node("Loop", ["count", "", start], [f"new{level + 1}"], f"loop{level}")
        inner = node.SerializeToString() + within(5, attribute)
    graph = helper.make_graph(
        [],
        "loops",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info(f"new{depth}", TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.array(count), "count")],
    )
    model = ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)])
    return model.SerializeToString() + within(7, graph.SerializeToString() + within(1, inner))


def within(field: int, data: bytes) -> bytes:
    """Return bytes as a field of a message."""
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size % 128 + 128)
        size //= 128
    return bytes([field * 8 + 2, *length, size]) + data


def test_a_billion_runs_are_named_and_never_begun(capsys: pytest.CaptureFixture[str]) -> None:
    Path("billion.onnx").write_bytes(looping(10**9))
    began = time.process_time()
    said = refused(capsys, "unroll", "billion.onnx", "-o", "flat.onnx")
    assert "1000000000" in said and "--most-nodes" in said
    assert time.process_time() - began < 5
    assert not Path("flat.onnx").exists()


@pytest.mark.parametrize("runs", [1, 2])
def test_a_hundred_loops_within_one_another_are_refused_in_no_time(
    runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("deep.onnx").write_bytes(looping(runs, depth=100))
    began = time.process_time()
    refused(capsys, "unroll", "deep.onnx", "-o", "flat.onnx")
    assert time.process_time() - began < 5
    assert not Path("flat.onnx").exists()


def test_loops_that_double_are_bounded_by_the_nodes_that_they_make(capsys: pytest.CaptureFixture[str]) -> None:
    Path("thirty.onnx").write_bytes(looping(2, depth=30))
    began = time.process_time()
    assert "--most-nodes" in refused(capsys, "unroll", "thirty.onnx", "-o", "flat.onnx")
    assert time.process_time() - began < 5
    Path("five.onnx").write_bytes(looping(2, depth=5))
    assert run("unroll", "five.onnx", "-o", "flat.onnx") == 0
    assert [node.op_type for node in onnx.load("flat.onnx").graph.node] == ["Add"] * 2**5
    assert "--most-nodes" in refused(capsys, "unroll", "five.onnx", "-o", "other.onnx", "--most-nodes", "20")


FLAGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a size twice": (("--dim", "time=5", "--dim", "time=6"), ("'time=6'", "given already")),
    "no such size": (("--dim", "k=5"), ("'k'", "'batch'", "'time'")),
    "nearly a size": (("--dim", "tiem=5"), ("'tiem'", "did you mean 'time'?")),
    "no such input": ((*BOUND, "--value", "y=5"), ("'y'", "x0")),
    "a value of another shape": ((*BOUND, "--value", "x0=5"), ("x0", "()", "(batch, time, 3)", "time = 5")),
    "a value twice": ((*BOUND, "--value", "x0=5", "--value", "x0=6"), ("x0",)),
    "a value that is none": ((*BOUND, "--value", "x0=loud"), ("x0", "loud")),
    "a value in a file that is not there": ((*BOUND, "--value", "x0=none.npy"), ("none.npy",)),
    "no steps": (("--dim", "time=0"), ("it takes no steps",)),
    "no nodes": ((*BOUND, "--most-nodes", "0"), ("most",)),
    "too few nodes": ((*BOUND, "--most-nodes", "9"), ("--most-nodes",)),
}


@pytest.mark.parametrize(("flags", "fragments"), FLAGS.values(), ids=FLAGS)
def test_flags_that_do_not_fit_are_refused_by_name(
    flags: tuple[str, ...], fragments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "unroll", LSTM, "-o", "flat.onnx", *flags)
    assert all(fragment in said for fragment in fragments), said
    assert not Path("flat.onnx").exists()


def test_the_file_that_is_read_is_not_written_onto_but_with_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("model.onnx").write_bytes(LSTM.read_bytes())
    Path("link.onnx").symlink_to("model.onnx")
    for target in ("model.onnx", "./model.onnx", "link.onnx"):
        assert "--force" in refused(capsys, "unroll", "model.onnx", "-o", target, *BOUND)
    assert Path("model.onnx").read_bytes() == LSTM.read_bytes()
    assert run("unroll", "model.onnx", "-o", "model.onnx", "--force", *BOUND) == 0
    assert "LSTM" not in [node.op_type for node in onnx.load("model.onnx").graph.node]


_ROOM = """
import resource, sys
import unroll.export.file_unrolling
from unroll.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_where_the_disk_is_full_the_old_file_is_left_whole() -> None:
    Path("flat.onnx").write_bytes(b"what was there")
    command = [sys.executable, "-c", _ROOM, "1000", "unroll", str(LSTM), "-o", "flat.onnx", *BOUND]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("unroll unroll: ") and "flat.onnx" in done.stderr and "Traceback" not in done.stderr
    assert [(path.name, path.read_bytes()) for path in Path().iterdir()] == [("flat.onnx", b"what was there")]


OUTSIDE: dict[str, Callable[[Path], str]] = {
    "above": lambda folder: "../w.bin",
    "absolute": lambda folder: str(folder.parent / "w.bin"),
    "link": lambda folder: _link(folder),
}


def _link(folder: Path) -> str:
    (folder / "out.bin").symlink_to(folder.parent / "w.bin")
    return "out.bin"


@pytest.mark.parametrize("where", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.parametrize("command", ["unroll", "reroll", "verify", "draw", "run"])
def test_weights_outside_of_the_models_folder_are_read_by_no_command(
    command: str, where: Callable[[Path], str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(LSTM)
    weight = next(item for item in model.graph.initializer if item.raw_data)
    inside = here / "inside"
    inside.mkdir()
    (here / "w.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=where(inside))
    (inside / "m.onnx").write_bytes(model.SerializeToString())
    output = ("-o", "out.svg" if command == "draw" else "out.onnx") if command in ("unroll", "reroll", "draw") else ()
    assert "outside" in refused(capsys, command, inside / "m.onnx", *output)
