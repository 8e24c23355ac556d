"""Measure everything: our forms beside the peers, what compiling costs, and the bars; write docs/benchmarks.md and its plot.

python benchmarks/run.py                     all of it; the first time it installs the peers and converts their models
python benchmarks/run.py --quick             a few minutes' look at two sizes; prints, and leaves docs/ alone
python benchmarks/run.py --rows 28,1,28,13   some sizes: T, batch, input, units
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from cases import LENGTHS, PAIRS, ROWS, Row
from contest import contest
from costs import measure_costs
from environment import HERE, Peers, default_cache, peers_python
from report import write_page
from results import Results
from timing import Spread

SETTINGS: dict[str, int | None] = {"one": 1, "default": None}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows", type=Row.parse, nargs="+", metavar="T,B,I,U", help="sizes; all of the table by default"
    )
    parser.add_argument("--quick", action="store_true", help="two sizes, few rounds, no long graphs")
    parser.add_argument("--full", action="store_true", help="convert T = 1,000 by TensorFlow afresh: takes minutes")
    parser.add_argument("--parts", nargs="+", choices=("run", "costs"), default=["run", "costs"])
    parser.add_argument("--threads", nargs="+", choices=tuple(SETTINGS), default=["one"])
    parser.add_argument("--rounds", type=int, help="rounds of the run times (default: 40, quick 7)")
    parser.add_argument(
        "--seconds", type=float, default=0.01, help="a contestant's turn in a round (default: %(default)s)"
    )
    parser.add_argument("--runs", type=int, help="processes a figure of the compile cost (default: 3, quick 1)")
    parser.add_argument(
        "--longest",
        type=float,
        default=900,
        help="seconds after which a job of ours is given up (default: %(default)s)",
    )
    parser.add_argument("--peers-python", type=Path, help="a Python that has the peers; by default one is installed")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="default: %(default)s")
    parser.add_argument(
        "--output", type=Path, help="folder of the page (default: docs/ where all was measured, else the cache)"
    )
    parser.add_argument("--again", action="store_true", help="write the page of the last run again, without measuring")
    return parser.parse_args()


def machine() -> str:
    """Return what processor this is, and how many of its cores are ours."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {platform.system()}"


def about(peers: Peers) -> dict[str, str]:
    """Return what a reader needs to judge the figures."""
    own = {name: metadata.version(name) for name in ("unroll-rnn", "onnxruntime", "onnx", "numpy")}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "Python": platform.python_version(),
        "here": ", ".join(f"{name} {version}" for name, version in own.items()),
        "peers": ", ".join(f"{name} {version}" for name, version in peers.versions.items()),
    }


def noise(results: Results) -> float:
    """Return how far apart the quartiles of a figure typically lie, as a share of its median."""
    rows = [times for threads in results.times.values() for times in threads.values()]
    spreads = [Spread.of(samples) for times in rows for samples in times.values() if not isinstance(samples, str)]
    return statistics.median((spread.high - spread.low) / spread.median for spread in spreads)


def keep(results: Results, path: Path) -> None:
    """Keep what was measured so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(results)), encoding="utf-8")


def main() -> None:
    chosen = options()
    kept = chosen.cache / "results.json"
    whole = not (chosen.quick or chosen.rows) and set(chosen.parts) == {"run", "costs"}
    folder = chosen.output or (HERE.parent / "docs" if whole or chosen.again else chosen.cache)
    if chosen.again:
        print(write_page(Results(**json.loads(kept.read_text(encoding="utf-8"))), folder))
        return
    peers = Peers(chosen.peers_python or peers_python(chosen.cache), chosen.cache)
    rows = chosen.rows or (ROWS[:2] if chosen.quick else (*ROWS, *LENGTHS, *PAIRS))
    rounds = chosen.rounds or (7 if chosen.quick else 40)
    results = Results(about=about(peers))
    busy = [os.getloadavg()[0]]
    for threads in chosen.threads if "run" in chosen.parts else ():
        for row in rows:
            print(f"{row}: {threads}", file=sys.stderr)
            found, form = contest(row, peers, SETTINGS[threads], rounds, chosen.seconds)
            results.times.setdefault(threads, {})[row.key] = found
            results.chosen.setdefault(threads, {})[row.key] = form
            busy.append(os.getloadavg()[0])
            keep(results, kept)
    if "costs" in chosen.parts:
        measure_costs(
            results, peers, chosen.runs or (1 if chosen.quick else 3), chosen.quick, chosen.full, chosen.longest
        )
    results.about["rounds"] = f"{rounds}, a turn {chosen.seconds * 1000:g} ms or three calls"
    if results.times:
        results.about["noise"] = (
            f"the quartiles lie {noise(results):.1%} of the median apart, by the median of all figures"
        )
    results.about["load of the machine"] = f"{min(busy):.1f} to {max(busy):.1f} (this benchmark itself is 1)"
    keep(results, kept)
    print(write_page(results, folder))
    print(f"written to {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
