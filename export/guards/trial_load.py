"""Loading a model of unknown operators once in a process of its own, which may end, before this one does.

`unroll.export.guards.aborting_nodes` knows what was seen to end a process. What nobody has seen yet is found by trying: a child
process runs onnx's shape inference on the model and loads it into onnxruntime. Where it ends by a signal, or does not end, the
model is refused with an error, and this process goes on.

Measured in CPU time: a child takes 0.33 s, 0.29 s of it the imports of onnx and onnxruntime; loading a foreign LSTM of 10 kB
takes 3 to 8 ms. So a child for every file would make most loads a hundred times as slow, and none is made for what is familiar:
models of nothing but the operators that unroll has itself and those that hold bodies or constants. Hundreds of random changes
to each of these ended no process on a model that `aborting_nodes` lets pass, and their pairs and triples were loaded with all
optimisers (tests/operator_chains.py). Other files bear the cost once: what came through is remembered by its content as long
as this process lives.

What it does not guard: runs. An operator that unroll does not know may end the process on values, which no load shows.

The environment variable ``UNROLL_TRIAL_LOAD`` says when it is done: ``unknown`` (the default), ``always`` or ``never``. It is
not done where there is no interpreter to start, as in a frozen program.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from google.protobuf.message import EncodeError
from onnx import ModelProto

from unroll.errors import ArgumentError, ModelError
from unroll.export.guards.broken_optimizers import broken_optimizers
from unroll.export.guards.empty_tensors import guarded
from unroll.export.guards.integer_division import with_safe_division
from unroll.export.light_copies import for_shapes
from unroll.export.node_walk import all_nodes
from unroll.ops import OPERATORS
from unroll.progress import busy

VARIABLE = "UNROLL_TRIAL_LOAD"
_WHEN = ("unknown", "always", "never")
#: A child may run for so many seconds, and a second more for every so many bytes of the model.
_SECONDS, _BYTES_A_SECOND = 30.0, 2_000_000
#: It may take so many bytes of memory, and so many times the model's size more, where the system can set a limit.
_MEMORY, _TIMES_ITS_SIZE = 4 << 30, 8
#: From so many bytes on a file is known by its place, size and time.
_LARGE = 1 << 25

#: What holds bodies or constants, beside the operators that unroll has.
_BESIDE = frozenset(["Constant", "If", "Loop"])
_FAMILIAR = frozenset(name for domain, name in OPERATORS if not domain) | _BESIDE
_PACKAGES = ("onnx", "onnxruntime", "numpy", "google.protobuf", "ml_dtypes", "typing_extensions")

#: What the child runs: isolated, with no folder to import from but those of the packages that this process has loaded.
_CHILD = """
import sys
limit, path, optimizers, *folders = sys.argv[1:]
sys.path += folders
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
except (ImportError, ValueError, OSError):
    pass
import onnx, onnxruntime
data = sys.stdin.buffer.read()
try:
    onnx.shape_inference.infer_shapes(data, data_prop=True)
except Exception:
    pass
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.intra_op_num_threads = 1
try:
    onnxruntime.InferenceSession(
        path or data, options, providers=["CPUExecutionProvider"], disabled_optimizers=optimizers.split()
    )
except Exception:
    pass
"""

_came_through: set[bytes] = set()


def try_load(model: ModelProto, what: str, path: Path | None = None) -> None:
    """Load a model in a child process, where it holds an operator that is not known to be safe.

    Args:
        model: the model, as it came from outside.
        what: what to call it in a message.
        path: its file, where weights may lie beside it.

    Raises:
        ModelError: the child ended by a signal, or did not end in time.
        ArgumentError: the environment variable has an unknown value.
    """
    when = os.environ.get(VARIABLE, "unknown")
    if when not in _WHEN:
        raise ArgumentError(f"the environment variable {VARIABLE} is {when!r}; use {', '.join(_WHEN)}")
    unknown = unknown_operator(model)
    if when == "never" or (when == "unknown" and not unknown):
        return
    safe = guarded(with_safe_division(model))
    file = _identity(path) if path is not None and safe is model else ()
    data = serialized(for_shapes(model) if file else safe, what)
    key = hashlib.sha256(data + repr(file).encode()).digest()
    if key in _came_through:
        return
    with busy("loading it in a process of its own first"):
        how = _how_the_child_ended(data, path if safe is model else None, broken_optimizers(model))
    if how:
        because = f"; it holds {unknown}, which unroll does not know" if unknown else ""
        raise ModelError(
            f"{what}: onnx or onnxruntime {how} when a process of its own loaded this model, so it is not loaded "
            f"here{because}. Export it again, or report it to onnxruntime"
        )
    _came_through.add(key)


def _identity(path: Path) -> tuple[object, ...]:
    """Return what tells a large file, as it is now, from others; nothing for a small one, which its content tells.

    What a large one holds is not written once more, as that takes twice its size.
    """
    try:
        found = path.stat()
    except OSError:
        return ()
    told = str(path.absolute()), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return told if found.st_size >= _LARGE else ()


def serialized(model: ModelProto, what: str) -> bytes:
    """Return a model's bytes.

    Raises:
        ModelError: they are more than protobuf writes.
    """
    try:
        return bytes(model.SerializeToString())
    except (EncodeError, ValueError):
        raise ModelError(
            f"{what}: larger than the 2 GiB that one ONNX model can hold; keep its weights in a file beside it, and give the "
            "path: onnx.save(model, path, save_as_external_data=True)"
        ) from None


def unknown_operator(model: ModelProto) -> str:
    """Return an operator of a model that is not known to be safe to load; empty where there is none."""
    own = {(item.domain, item.name) for item in model.functions}
    for node in all_nodes(model):
        known = node.op_type in _FAMILIAR and node.domain in ("", "ai.onnx")
        if not known and (node.domain, node.op_type) not in own:
            return f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    return ""


def _how_the_child_ended(data: bytes, path: Path | None, optimizers: Iterable[str]) -> str:
    """Return what ended the child; nothing where it ended by itself, or could not be started."""
    if not sys.executable or getattr(sys, "frozen", False):
        return ""
    size = len(data) + (path.stat().st_size if path is not None and path.exists() else 0)
    seconds = _SECONDS + size / _BYTES_A_SECOND
    limit = _MEMORY + _TIMES_ITS_SIZE * size
    arguments = [str(limit), str(path.absolute()) if path is not None else "", " ".join(optimizers), *_folders()]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _CHILD, *arguments],
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {seconds:.0f} s"
    except OSError:
        return ""
    return _ending(done.returncode)


def _ending(code: int) -> str:
    """Return what an exit status says of a crash; nothing where the child ended by itself, be it by an import that failed."""
    if code < 0:
        try:
            return f"ended the process by {signal.Signals(-code).name}"
        except ValueError:
            return f"ended the process by signal {-code}"
    return f"ended the process with status {code:#x}" if code > 2 else ""  # of Windows, such as 0xC0000005


def _folders() -> list[str]:
    """Return the folders that this process imported the packages from."""
    found = []
    for name in _PACKAGES:
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if file:
            found.append(str(Path(file).absolute().parents[name.count(".") + hasattr(module, "__path__")]))
    return list(dict.fromkeys(found))
