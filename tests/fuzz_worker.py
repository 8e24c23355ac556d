"""A process of `fuzz_files.py`: ranges of seeds come on standard input, what came of each goes to standard output."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fuzz_corpus import network, whole_files  # noqa: E402
from fuzz_uses import Uses, use  # noqa: E402

import unroll  # noqa: E402

_GIB = 2**30
#: A worker that has grown by this much gives up: the next one begins small, so that every file has its 1 GB.
_MOST_GROWN = _GIB // 4
_ENOUGH = 3


def _data() -> int:
    """Return how much this process can write to, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmData:")[2].split()[0]) * 1024


def _quiet(trace: Path) -> Any:
    """Keep standard output for our lines, drop what native code says, and write a trace where this process ends."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    log = trace.open("w", encoding="utf-8", buffering=1)
    faulthandler.enable(log)
    sys.stderr = log
    return lines


def main() -> None:
    folder, kinds, keep = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
    lines = _quiet(folder / "trace")
    work = folder / "work"
    shutil.rmtree(folder / "made", ignore_errors=True)
    (folder / "made").mkdir()
    files = whole_files(folder / "made", kinds)
    unroll.verify(network())
    unroll.draw(network())
    bound = _data()
    resource.setrlimit(resource.RLIMIT_DATA, (bound + _GIB, bound + _GIB))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_GIB, _GIB))
    work.mkdir(exist_ok=True)
    os.chdir(work)

    def say(seed: int, kind: str, step: str) -> None:
        lines.write(json.dumps({"seed": seed, "kind": kind, "step": step}) + "\n")

    lines.write("{}\n")  # ready
    for line in sys.stdin:
        for seed in range(*map(int, line.split())):
            here = work / str(seed)
            shutil.rmtree(here, ignore_errors=True)
            here.mkdir()
            uses = Uses(partial(say, seed))
            use(seed, files, kinds, here, uses)
            findings = [item._asdict() for item in uses.findings]
            if keep:
                shutil.copytree(here, Path(keep) / str(seed), dirs_exist_ok=True)
            shutil.rmtree(here)
            done = {"seed": seed, "kind": uses.kind, "outcomes": uses.outcomes, "findings": findings}
            lines.write(json.dumps(done) + "\n")
            if _data() > bound + _MOST_GROWN:
                os._exit(_ENOUGH)


if __name__ == "__main__":
    main()
