"""The peers' environment, made by the benchmark itself, and what runs in it: conversions once, and timings on request."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cases import Array, Row

HERE = Path(__file__).resolve().parent
WORKER = HERE / "peer.py"
REQUIREMENTS = (
    "tensorflow-cpu==2.21.0",
    "tf_keras==2.21.0",
    "tf2onnx==1.17.0",
    "torch==2.13.0",
    "onnxscript==0.7.2",
)
#: Measured where it installs.
OPTIONAL = "jax[cpu]"


def default_cache() -> Path:
    """Where environments and converted models are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unroll-benchmarks"


def digest(*parts: object) -> str:
    """Return a short name for what a cached thing is made from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def peers_python(cache: Path) -> Path:
    """Return the Python of an environment that holds the peers; made on the first call, which takes minutes."""
    return made_environment(cache, "peers", REQUIREMENTS, OPTIONAL)


def made_environment(cache: Path, name: str, requirements: tuple[str, ...], optional: str | None = None) -> Path:
    """Return the Python of an environment that holds some packages, and one more where it installs; made on the first call."""
    folder = cache / f"{name}-{digest(sys.version_info[:2], requirements, optional)}"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if done.exists():
        return python
    print(f"installing the {name} into {folder}", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements], check=True)
    if optional is not None and subprocess.run([*install, optional], check=False).returncode:
        print(f"{optional} does not install here; it is left out", file=sys.stderr)
    done.touch()
    return python


class Peers:
    """What the other tools do, by way of `peer.py` in their environment."""

    def __init__(self, python: Path, cache: Path) -> None:
        self.python = python
        self.versions: dict[str, str] = self.run("versions")
        self._cache = cache / f"models-{digest(WORKER.read_bytes(), (HERE / 'cases.py').read_bytes(), self.versions)}"

    def run(self, *arguments: str) -> Any:
        """Run one job in a fresh process and return what it found."""
        done = subprocess.run([self.python, WORKER, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerError((done.stderr.strip().splitlines() or ["no message"])[-1])
        return json.loads(done.stdout.splitlines()[-1])

    def converted(self, tool: str, row: Row, fresh: bool = False) -> tuple[Path, dict[str, Any]]:
        """Return the ONNX file that a tool makes of a row, and what making it took; both from the cache unless `fresh`."""
        target = self._cache / f"{row.key}-{tool}.onnx"
        about = target.with_suffix(".json")
        if fresh or not about.exists():
            print(f"  {tool} converts {row}", file=sys.stderr)
            target.parent.mkdir(parents=True, exist_ok=True)
            found = self.run("convert", tool, row.key, str(target))
            about.write_text(json.dumps(found), encoding="utf-8")
        return target, json.loads(about.read_text(encoding="utf-8"))

    def cost(self, tool: str, row: Row, fresh: bool) -> dict[str, Any]:
        """Return what converting a row took: now if `fresh`, else when it was first done."""
        return self.converted(tool, row, fresh)[1]

    @contextmanager
    def serving(self, tool: str, row: Row, threads: int | None) -> Iterator[Served]:
        """Let a framework run a row in a process of its own, which waits between the rounds."""
        command = [str(self.python), str(WORKER), "serve", tool, row.key, str(threads or 0)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield Served(process)
        finally:
            process.communicate()


class Served:
    """A network in another process: the same calls as one in this process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.outputs: list[Array] = [np.asarray(array) for array in self._read()]

    def times(self, calls: int) -> list[float]:
        """Return the seconds of each of a number of calls, measured over there."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        return [float(seconds) for seconds in self._read()]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = self._process.stderr.read().strip() if self._process.stderr is not None else ""
            raise PeerError((message.splitlines() or ["no message"])[-1])
        return json.loads(line)


class PeerError(Exception):
    """A peer could not do it; the message is the last line it wrote."""
