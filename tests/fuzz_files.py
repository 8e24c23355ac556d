"""Mutated files of every kind that is read, through the API and the commands: only errors of ours may come of them.

    python tests/fuzz_files.py --count 50000 --jobs 2 --out findings

Every file is made from its seed, so that ``--start SEED --count 1`` makes the same one again, and ``--keep FOLDER`` leaves it
there. A finding is an exception that is no `UnrollError`, a process that ends, a use that takes more than 5 s of the
processor's time (60 s on the wall: the machine may be busy with other things), or one that takes more than 1 GB. Findings are
told apart by what was raised and where; each is written to ``--out`` with its seed.

Memory is bounded by RLIMIT_DATA, in the worker once everything is imported: what it has then and 1 GB. That counts what a
process can write to, mapped or from the heap. RLIMIT_AS would count the libraries of NumPy and onnxruntime too, and the address
space that the allocator of each thread keeps free, hundreds of megabytes that are never memory.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
#: The kinds of files, and how many of a hundred are of each.
KINDS = {
    "foreign": 22,
    "exporters": 10,
    "own": 30,
    "external": 4,
    "npy": 5,
    "npz": 9,
    "safetensors": 6,
    "cache": 4,
    "program": 10,
}
_SECONDS, _WALL, _STARTING = 5.0, 60.0, 60.0
#: How a worker ends that has grown (see `fuzz_worker.py`): no finding.
GROWN = "ended: status 3"
_CHUNK = 50
_TICK = os.sysconf("SC_CLK_TCK")


class Done(NamedTuple):
    """What came of one seed."""

    seed: int
    kind: str
    outcomes: list[str]
    findings: list[dict[str, str]]


class Worker:
    """A process that takes seeds, one after another; it is started again where it ended."""

    def __init__(self, folder: Path, kinds: Mapping[str, int], keep: Path | None) -> None:
        self._log = folder / "trace"
        self._log.write_bytes(b"")
        arguments = [
            sys.executable,
            str(HERE / "fuzz_worker.py"),
            str(folder),
            json.dumps(dict(kinds)),
            str(keep or ""),
        ]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._rest = b""
        self.why = ""
        if self._read(_STARTING) is None:  # it says when it is ready
            raise RuntimeError(f"a worker ended before its first file ({self.why}): {self._trace()}")

    def run(self, seeds: range) -> Iterator[Done]:
        """Yield what came of each seed, up to one that ends the process."""
        assert self._process.stdin is not None
        at = Done(seeds.start, "?", [], [])
        step = ""
        try:
            self._process.stdin.write(f"{seeds.start} {seeds.stop}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended between two ranges: reading says how
        wanted = len(seeds)
        while wanted:
            line = self._read()
            if line is None:
                if step or self.why != GROWN:
                    yield at._replace(
                        findings=[{"step": step, "what": self.why, "where": self._where(), "trace": self._trace()}]
                    )
                return
            if "step" in line:
                at, step = at._replace(seed=line["seed"], kind=line["kind"]), line["step"]
            else:
                done = Done(**line)
                yield done
                wanted, at, step = wanted - 1, at._replace(seed=done.seed + 1), ""

    def _read(self, seconds: float | None = None) -> dict[str, Any] | None:
        """Return the next line; None where the process ended, or took too long and was ended."""
        seconds = _SECONDS if seconds is None else seconds
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        began, spent = time.monotonic(), self._spent()
        while b"\n" not in self._rest:
            if select.select([source], [], [], 0.25)[0]:
                got = os.read(source, 2**16)
                if not got:
                    status = self._process.wait()
                    self.why = f"ended: {signal.Signals(-status).name}" if status < 0 else f"ended: status {status}"
                    return None
                self._rest += got
            elif self._spent() - spent > seconds or time.monotonic() - began > _WALL:
                self.why = f"timeout: more than {seconds:g} s"
                self._process.send_signal(signal.SIGABRT)  # faulthandler writes where it was
                self._process.wait()
                return None
        text, _, self._rest = self._rest.partition(b"\n")
        return dict(json.loads(text))

    def _spent(self) -> float:
        """Return the seconds of the processor that the process took so far."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / _TICK

    def _trace(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _where(self) -> str:
        """Return the innermost line of ours that faulthandler wrote."""
        for line in self._trace().splitlines():
            for folder in ("unroll", "export", "viz"):
                if f"{HERE.parent}/{folder}/" in line:
                    return line.strip().replace(f"{HERE.parent}/", "")
        return "outside"

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class Found:
    """Everything found so far, told apart by what it is and where."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._lock = threading.Lock()
        self.files: collections.Counter[str] = collections.Counter()
        self.outcomes: collections.Counter[tuple[str, str]] = collections.Counter()
        self.findings: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self.ended: collections.Counter[str] = collections.Counter()

    def add(self, done: Done) -> None:
        with self._lock:
            self.files[done.kind] += 1
            self.outcomes.update((done.kind, outcome) for outcome in done.outcomes)
            for finding in done.findings:
                key = f"{finding['what'].partition(':')[0]} at {finding['where']}"
                if finding["what"].startswith(("ended", "timeout")):
                    key = f"{finding['what']} at {finding['where']}"
                self.findings.setdefault(key, []).append((done.seed, finding))

    def write(self) -> None:
        """Write each finding with the seed that makes it again."""
        self._out.mkdir(parents=True, exist_ok=True)
        for place, (key, seen) in enumerate(sorted(self.findings.items(), key=lambda item: -len(item[1]))):
            seed, first = seen[0]
            text = f"{key}\n{len(seen)} files; python tests/fuzz_files.py --start {seed} --count 1\n"
            text += f"others: {[item for item, _ in seen[1:6]]}\n"
            text += f"{first['step']}: {first['what']}\n\n{first['trace']}\n"
            (self._out / f"{place:03}.txt").write_text(text, encoding="utf-8", errors="replace")

    def __str__(self) -> str:
        lines = []
        for kind, count in sorted(self.files.items()):
            said = {word: number for (of, word), number in sorted(self.outcomes.items()) if of == kind}
            lines.append(
                f"{kind:12} {count:6} files  " + ", ".join(f"{word} {number}" for word, number in said.items())
            )
        if self.ended:
            lines.append("workers that ended: " + ", ".join(f"{number} x {why}" for why, number in self.ended.items()))
        lines.append(f"{len(self.findings)} findings")
        for seen in sorted(self.findings.values(), key=lambda item: -len(item)):
            seed, first = seen[0]
            lines.append(f"  {len(seen):5} x seed {seed}: {first['step']}: {first['what'][:90]!r} at {first['where']}")
        return "\n".join(lines)


def fuzz(
    seeds: range, kinds: Mapping[str, int], jobs: int, found: Found, keep: Path | None = None, loud: bool = False
) -> None:
    """Use the mutated file of each seed, in `jobs` processes, and add what comes of it to `found`."""
    waiting: queue.Queue[range] = queue.Queue()
    for start in range(seeds.start, seeds.stop, _CHUNK):
        waiting.put(range(start, min(start + _CHUNK, seeds.stop)))
    began = time.monotonic()

    def serve() -> None:
        worker: Worker | None = None
        with tempfile.TemporaryDirectory(prefix="unroll-fuzz-") as folder, contextlib.ExitStack() as ending:
            while True:
                try:
                    chunk = waiting.get_nowait()
                except queue.Empty:
                    return
                while chunk:
                    if worker is None:
                        worker = Worker(Path(folder), kinds, keep)
                        ending.callback(worker.stop)
                    last = chunk.start - 1
                    for done in worker.run(chunk):
                        found.add(done)
                        last = done.seed
                    chunk = range(last + 1, chunk.stop)
                    if worker.why:
                        found.ended[worker.why] += 1
                        worker.stop()
                        worker = None
                if loud:
                    seen = sum(found.files.values())
                    speed = seen / (time.monotonic() - began)
                    print(f"{seen} files, {speed:.0f} a second, {len(found.findings)} findings", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(serve) for _ in range(jobs)]
        try:
            for served in running:
                served.result()
        except KeyboardInterrupt:  # what was found so far is told all the same
            with contextlib.suppress(queue.Empty):
                while True:
                    waiting.get_nowait()


def _stop(*_: object) -> None:
    """Be stopped once: what was found is told then."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="how many files (default: %(default)s)")
    parser.add_argument("--start", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument(
        "--kinds",
        default=",".join(KINDS),
        help="kinds of files (default: %(default)s); others give other files for a seed",
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("fuzz-findings"), help="where findings are written (default: %(default)s)"
    )
    parser.add_argument("--keep", type=Path, help="leave the files made in this folder, one folder a seed")
    parser.add_argument("--loud", action="store_true", help="say how far it is")
    options = parser.parse_args()
    kinds = {kind: KINDS[kind] for kind in options.kinds.split(",")}
    signal.signal(signal.SIGTERM, _stop)
    found, began = Found(options.out), time.monotonic()
    fuzz(range(options.start, options.start + options.count), kinds, options.jobs, found, options.keep, options.loud)
    if found.findings:
        found.write()
    print(found)
    print(f"{sum(found.files.values())} files in {time.monotonic() - began:.0f} s")
    return 1 if found.findings else 0


if __name__ == "__main__":
    sys.exit(main())
