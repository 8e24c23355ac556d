"""One model for any length: an LSTM whose time is left open, beside torch.onnx's exports of the same network, in onnxruntime.

symbolic_time.py [--rounds 40] [--times 28 100 1000] [--batches 1 32] [--units 13] [--peers-python PYTHON] [--dry]

Ours is one file, read once. Theirs is a file for each T: with an open time (`dynamic_shapes`) torch 2.13 writes the T that it
was shown into a Reshape, and its file runs at no other. Both hold the same weights, give all outputs and last states, and
run in turns.

Then what it takes from the first line of the program to the bytes of the model, in CPU time of this process.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

INPUTS = 28
WORDS = (
    "Written by `python benchmarks/symbolic_time.py`. An LSTM whose time is left open is one file for every T; torch.onnx's "
    "export of the same network is a file for each. Both hold the same weights and run in turns in onnxruntime, on one thread: "
    "medians, and the median of the ratios of pairs."
)


def torch_file(target: Path, steps: int, batch: int, units: int, weights: Path) -> None:
    """Write torch.onnx's export; runs in an environment that has torch."""
    torch: Any = import_module("torch")
    numpy: Any = import_module("numpy")
    network = torch.nn.LSTM(INPUTS, units)
    with numpy.load(weights) as arrays:
        network.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    x = torch.randn(steps, batch, INPUTS)
    program = torch.onnx.export(network.eval(), (x,), dynamo=True, verbose=False, input_names=["X"])
    program.save(str(target))


def our_network(batch: int, units: int) -> Any:
    """The same network, and its module."""
    import unroll
    from unroll import nn

    module = nn.LSTM(INPUTS, units)
    x = unroll.placeholder(["time", batch, INPUTS], "X")
    output, (h, c) = module(x)
    return unroll.Graph([x], {"output": output, "h": h, "c": c}), module


def cost_of_writing(units: int, runs: int = 15) -> float:
    """The median of the CPU seconds from the program to the bytes, proof included."""
    import unroll

    taken = []
    for _ in range(runs):
        start = time.process_time()
        graph, _ = our_network(1, units)
        unroll.to_onnx(graph, form="rerolled").SerializeToString()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def sessions(folder: Path, times: list[int], batch: int, units: int, python: Path) -> tuple[Any, dict[int, Any]]:
    """Our model, and theirs by T."""
    import numpy as np

    import unroll

    graph, module = our_network(batch, units)
    weights = folder / "weights.npz"
    np.savez(weights, **module.state_dict())
    theirs = {}
    for steps in times:
        target = folder / f"torch_{steps}_{batch}_{units}.onnx"
        job = [str(python), __file__, "torch", str(target), *map(str, (steps, batch, units)), str(weights)]
        subprocess.run(job, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        theirs[steps] = load(target)
    ours = folder / f"ours_{batch}_{units}.onnx"
    unroll.save(graph, ours, form="rerolled")
    return load(ours), theirs


def load(path: Path) -> Any:
    """A plain onnxruntime session of one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Measure, and write the table of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--times", type=int, nargs="+", default=[28, 100, 1000])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--units", type=int, nargs="+", default=[13, 128])
    parser.add_argument("--peers-python", type=Path, help="a Python that has torch; by default one is installed")
    parser.add_argument("--dry", action="store_true", help="print, and leave docs/ alone")
    asked = parser.parse_args()
    import numpy as np
    from environment import default_cache, peers_python
    from report import table, write_section
    from timing import contestant, measure

    python = asked.peers_python or peers_python(default_cache())
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for units in asked.units:
            for batch in asked.batches:
                ours_of_all, theirs_of = sessions(Path(folder), asked.times, batch, units, python)
                for steps in asked.times:
                    both = {"ours": ours_of_all, "torch.onnx": theirs_of[steps]}
                    x = np.random.default_rng(0).standard_normal((steps, batch, INPUTS)).astype("float32")
                    found = {name: session.run(None, {"X": x}) for name, session in both.items()}
                    apart = max(
                        float(np.abs(one - other).max())
                        for one, other in zip(found["ours"], found["torch.onnx"], strict=True)
                    )
                    calls = {
                        name: contestant(lambda session=session, x=x: session.run(None, {"X": x}))
                        for name, session in both.items()
                    }
                    samples = measure(calls, asked.rounds, 0.01)
                    pairs = zip(samples["ours"], samples["torch.onnx"], strict=True)
                    ratio = statistics.median(one / other for one, other in pairs)
                    ours, theirs = (1e6 * statistics.median(samples[name]) for name in ("ours", "torch.onnx"))
                    line = [*map(str, (steps, batch, units)), f"{ours:.1f} µs", f"{theirs:.1f} µs", f"{ratio:.3f}"]
                    lines.append([*line, f"{apart:.1e}"])
                    print(*lines[-1], sep="  ")
    cost = (
        f"Traced and written, with its proof: {1e3 * cost_of_writing(13):.1f} ms of CPU, whatever the time; at most 50."
    )
    print(cost)
    if not asked.dry:
        head = ["T", "batch", "units", "ours", "torch.onnx", "ours / torch.onnx, at most 1.05", "apart"]
        write_section("symbolic_time.md", "\n\n".join(["## Any length", WORDS, table(head, lines), cost]) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["torch"]:
        torch_file(Path(sys.argv[2]), *map(int, sys.argv[3:6]), Path(sys.argv[6]))
    else:
        main()
