"""Random RNN, GRU and LSTM nodes of every attribute, read, computed in NumPy and flattened, against onnxruntime.

``python benchmarks/recurrent_nodes.py [count]`` draws 2,000 nodes by default and prints what became of them. onnxruntime
runs the model itself; of layout 1, which it has no kernel for, the same numbers with time first. What is flattened by
`unroll.unroll` runs in onnxruntime too, written as plain nodes; in float64, for which onnxruntime has no recurrent kernels, it
is held against NumPy on the node.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from random_recurrent_nodes import Drawn, batch_first, draw_node, time_first

import unroll
from unroll.errors import UnsupportedError
from unroll.export.verifying.verification import NoWitnessError

TOLERANCE = 1e-5


def expected(drawn: Drawn) -> dict[str, np.ndarray] | None:
    """What onnxruntime makes; None where it has no kernel."""
    model, feeds = time_first(drawn)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        arrays = session.run(None, feeds)
    except Exception:  # its errors share no base class
        return None
    found = dict(zip([item.name for item in session.get_outputs()], arrays, strict=True))
    turned = "'layout': 1" in drawn.told
    return {name: batch_first(array) if turned else array for name, array in found.items()}


def outcome(drawn: Drawn) -> str:
    """What became of a node, in a few words."""
    try:
        found = unroll.from_onnx(drawn.model).run(drawn.feeds)
    except UnsupportedError as error:
        told = "REFUSED THOUGH FIXED" if drawn.fixed else "refused by name: its meaning is open"
        return told if str(error).startswith("node: ") else f"{told}, WITHOUT THE NAME"
    if not drawn.fixed:
        return "COMPUTED THOUGH OPEN"
    wanted = expected(drawn)
    if wanted is None:
        return "computed; onnxruntime has no kernel for it"
    if not all(np.isfinite(array).all() for array in wanted.values()):
        return "computed; onnxruntime overflows in Softplus" if "Softplus" in drawn.told else "WRONG or onnxruntime is"
    off = max(float(np.abs(found[name] - wanted[name]).max() / max(1, np.abs(wanted[name]).max())) for name in wanted)
    return f"right to {TOLERANCE}" if off <= TOLERANCE else f"WRONG by {off:.1g}"


def flattened(drawn: Drawn) -> str:
    """What became of a node that is written out step by step."""
    graph = unroll.from_onnx(drawn.model)
    flat, report = unroll.unroll(graph)
    if report.left:
        return "flat: LEFT THOUGH FIXED" if drawn.fixed else "flat: left by name: its meaning is open"
    try:
        found = unroll.Session(unroll.to_onnx(flat, form="unrolled")).run(drawn.feeds)
    except UnsupportedError:  # onnxruntime has no Softplus of float64
        found = flat.run(drawn.feeds)
    wanted = expected(drawn)
    if wanted is None or not all(np.isfinite(array).all() for array in wanted.values()):
        wanted = graph.run(drawn.feeds)
        against = "NumPy on the node"
    else:
        against = "onnxruntime on the node"
    if not all(np.isfinite(found[name]).all() for name in wanted) and "Softplus" in drawn.told:
        return "flat: onnxruntime overflows in Softplus"
    off = max(float(np.abs(found[name] - wanted[name]).max() / max(1, np.abs(wanted[name]).max())) for name in wanted)
    return f"flat: as {against} has it" if off <= TOLERANCE else f"flat: WRONG by {off:.1g}"


def verified(drawn: Drawn) -> str:
    """What `verify` says of a node."""
    try:
        unroll.verify(drawn.model, drawn.feeds)
    except NoWitnessError:
        return "verify: no witness"
    except unroll.UnrollError as error:
        return f"verify: FALSE ALARM {type(error).__name__}"
    return "verify: proven"


def main(count: int = 2000) -> None:
    """Print what became of random nodes."""
    counts: Counter[str] = Counter()
    for seed in range(count):
        drawn = draw_node(seed, foreign=0.3, mixed=0.2)
        for said in (outcome(drawn), flattened(drawn), verified(drawn)):
            counts[said] += 1
            if any(word.isupper() and len(word) > 3 for word in said.split()):
                print(drawn.told, "->", said)
    for said, number in sorted(counts.items()):
        print(f"{number:6} {said}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
