"""What compiling and loading costs: every figure from a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cases import Row
from environment import HERE, PeerError, Peers
from results import Results

#: Steps of LSTM(13) over 28 features, batch 1, by how much time there is.
QUICK = (10, 28, 100, 1000)
ALL = (*QUICK, 10_000, 100_000)
CONVERTED = (28, 100)
LOADED = (1000, 4000)
VERY_LONG = 100_000
FORMS = ("optimised", "rerolled", "scan")


def at(steps: int) -> Row:
    return Row(steps, 1, 28, 13)


def measure_costs(results: Results, peers: Peers, runs: int, quick: bool, full: bool, longest: float) -> None:
    """Fill in `results.costs`; `full` converts T = 1,000 afresh, and a job of ours is given up after `longest` seconds."""
    jobs = _Jobs(results, longest)
    jobs.ours("import", "", runs, "import")
    for steps in QUICK if quick else ALL:
        for form in FORMS:
            jobs.ours(f"build {form}", steps, runs if steps <= 1000 else 1, "build", at(steps).key, form)
    jobs.ours("passes", 1000, runs, "passes", at(1000).key)
    for steps in CONVERTED:
        for tool in ("tf2onnx", "torch-loop"):
            jobs.add(tool, steps, 1 if quick else runs, partial(peers.cost, tool, at(steps), fresh=not quick))
    jobs.add("tf2onnx", 1000, 1, partial(peers.cost, "tf2onnx", at(1000), fresh=full))
    with tempfile.TemporaryDirectory() as folder:
        for steps in LOADED[:1] if quick else LOADED:
            path = str(Path(folder) / f"{steps}.onnx")
            jobs.ours("save", steps, 1, "save", at(steps).key, path)
            for whose in ("ours", "plain"):
                jobs.ours(f"load {whose}", steps, runs, "load", at(steps).key, path, whose)
    if not quick:
        for form in ("rerolled", "scan"):
            jobs.ours("first", f"{form} {VERY_LONG}", 1, "first", at(VERY_LONG).key, form)


class _Jobs:
    def __init__(self, results: Results, longest: float) -> None:
        self._costs = results.costs
        self._longest = longest

    def ours(self, job: str, case: object, runs: int, *arguments: str) -> None:
        """Run a job of `ours.py` some times over, each in a fresh process."""
        self.add(job, case, runs, partial(_fresh, self._longest, arguments))

    def add(self, job: str, case: object, runs: int, run: Callable[[], dict[str, Any]]) -> None:
        """Run a job some times over, once if it is missing, and keep what it found."""
        found: list[dict[str, Any]] = []
        for _ in range(runs):
            try:
                found.append(run())
            except PeerError as error:
                found.append({"missing": str(error)})
            if "missing" in found[-1]:
                break
        print(f"  {job} {case}: {found[-1]}", file=sys.stderr)
        self._costs.setdefault(job, {})[str(case)] = found


def _fresh(longest: float, arguments: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "ours.py"), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=longest)
    except subprocess.TimeoutExpired:
        return {"missing": f"not done after {longest:g} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        return {"missing": last}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
