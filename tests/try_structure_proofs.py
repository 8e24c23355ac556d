"""How many re-rollings are proven by structure, and which are not: ``python tests/try_structure_proofs.py [EVERY]``.

Of the golden cases of TensorFlow's and contrib's cells and drivers, of files that PyTorch, tf2onnx and others wrote, of the
exporters' files written out flat, of Keras's golden cases, and of the networks that tests draw. EVERY takes each so many of
TensorFlow's and Keras's alone.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import contrib_programs
import exporter_files
import keras_programs
import tensorflow_programs
from helpers import GOLDEN
from picture_networks import NETWORKS

import unroll


def graphs(every: int) -> Iterator[tuple[str, str, unroll.Graph]]:
    """Yield flat graphs, each with its group and name."""
    for folder in ("foreign", "torch_rnn"):
        for path in sorted((GOLDEN / folder).glob("*.onnx")):
            yield "files of converters", path.stem, unroll.from_onnx(path)
    for case in exporter_files.CASES:
        sizes = exporter_files.open_sizes(case, exporter_files.runs(case)[0][0])
        graph = unroll.from_onnx(exporter_files.path_of(case), dims=sizes)
        yield "files of exporters, flat", case["id"], unroll.unroll(graph, check=False)[0]
    for name, network in NETWORKS.items():
        yield "networks that tests draw", name, network()
    for name in list(tensorflow_programs.CASES)[::every]:
        yield "golden cases of TensorFlow", name, tensorflow_programs.build(name).graph
    for place in range(0, len(contrib_programs.CASES), every):
        yield "golden cases of contrib", contrib_programs.CASES[place]["id"], contrib_programs.build(place)[0]
    for case in [case for case in keras_programs.CASES if not keras_programs.is_sequential(case)][::every]:
        yield "golden cases of Keras", case["id"], keras_programs.program(case).graph


def main() -> int:
    warnings.simplefilter("ignore")
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    start, counts, rerolled = time.process_time(), Counter[str](), Counter[str]()
    for group, name, graph in graphs(every):
        _, report = unroll.reroll(graph)
        if not report.operators:
            continue
        rerolled[group] += 1
        proof = str(report.proof)
        if proof.startswith("proven by structure"):
            counts[group] += 1
        else:
            print(f"{group}: {name}: {', '.join(report.operators)}: {proof[:60]}", flush=True)
    for group, count in rerolled.items():
        print(f"{group}: {counts[group]} of {count}")
    print(f"{counts.total()} of {rerolled.total()} by structure, {time.process_time() - start:.0f} s of processor time")
    return int(counts.total() < 0.9 * rerolled.total())


if __name__ == "__main__":
    sys.exit(main())
