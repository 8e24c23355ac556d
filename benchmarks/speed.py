"""How tracing and export scale with the number of steps, and what ``import unroll`` costs.

    python benchmarks/speed.py

Every figure is the median over fresh processes, one at a time. Trace + export is BasicLSTMCell(13) over T placeholders
of 28 features: static_rnn, Graph, to_onnx and the bytes of the model.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

TRACE_AND_EXPORT = """
import time, unroll
from unroll import Graph, static_rnn, to_onnx  # imports are not part of the figure
start = time.perf_counter()
steps = [unroll.placeholder([None, 28], name=f"x{t}") for t in range(%d)]
outputs, state = static_rnn(unroll.BasicLSTMCell(13), steps)
data = to_onnx(Graph(steps, [outputs, state])).SerializeToString()
print(time.perf_counter() - start)
"""
IMPORT = """
import time, sys
import numpy
start = time.perf_counter()
import unroll
unroll.placeholder, unroll.static_rnn, unroll.BasicLSTMCell, unroll.Graph
seconds = time.perf_counter() - start
heavy = [name for name in ("onnx", "onnxruntime", "graphviz", "pygraphviz", "networkx") if name in sys.modules]
if heavy:
    sys.exit(f"import unroll loaded {heavy}")
print(seconds)
"""


def median_seconds(program: str, runs: int) -> float:
    """Return the median of what `program` prints, over fresh processes."""
    times = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        times.append(float(done.stdout))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5, help="processes a figure (default: %(default)s)")
    runs = parser.parse_args().runs
    small, large = (median_seconds(TRACE_AND_EXPORT % steps, runs) for steps in (1_000, 10_000))
    print(f"trace + export, T =  1,000: {small:6.2f} s   (at most 1 s)")
    print(f"trace + export, T = 10,000: {large:6.2f} s   ({large / small:.1f} times T = 1,000; at most 12)")
    print(f"import unroll beyond NumPy: {median_seconds(IMPORT, runs):6.2f} s   (at most 0.3 s)")


if __name__ == "__main__":
    main()
