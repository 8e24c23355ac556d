"""The same flat LSTM from three tools: what each needs to write it, and what comes out.

    pip install -e . tensorflow-cpu tf_keras tf2onnx torch onnxscript
    python benchmarks/peers.py

BasicLSTMCell(13) over T steps of 28 features, batch unknown: unroll, TensorFlow 1's static_rnn through tf2onnx, and a loop
over torch.nn.LSTMCell through torch.onnx (TorchScript exporter off, batch fixed at 1, which it unrolls). Each figure is the
median over fresh processes, tools in turn; seconds are from the first line of the program, imports done, to the bytes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

UNROLL = """
import time, unroll, onnx
from unroll import Graph, static_rnn, to_onnx
start = time.perf_counter()
steps = [unroll.placeholder([None, 28], name=f"x{t}") for t in range(T)]
outputs, state = static_rnn(unroll.BasicLSTMCell(13), steps)
model = to_onnx(Graph(steps, [outputs, state]))
data = model.SerializeToString()
"""
TF2ONNX = """
import os, time, logging
os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import tensorflow as tf, tf2onnx
logging.disable(logging.CRITICAL)
v1 = tf.compat.v1
start = time.perf_counter()
with tf.Graph().as_default() as graph, v1.Session() as session:
    steps = [v1.placeholder(tf.float32, [None, 28], name=f"x{t}") for t in range(T)]
    outputs, state = v1.nn.static_rnn(v1.nn.rnn_cell.BasicLSTMCell(13), steps, dtype=tf.float32)
    session.run(v1.global_variables_initializer())
    names = [output.name for output in (*outputs, state.c)]
    frozen = tf2onnx.tf_loader.freeze_session(session, input_names=[x.name for x in steps], output_names=names)
model, _ = tf2onnx.convert.from_graph_def(frozen, input_names=[x.name for x in steps], output_names=names, opset=13)
data = model.SerializeToString()
"""
TORCH = """
import io, logging, time, warnings, contextlib
warnings.filterwarnings("ignore")
import torch, onnxscript, onnx
logging.disable(logging.CRITICAL)
start = time.perf_counter()
class Loop(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTMCell(28, 13)
    def forward(self, steps):
        h = c = torch.zeros(steps[0].shape[0], 13)
        outputs = []
        for x in steps:
            h, c = self.cell(x, (h, c))
            outputs.append(h)
        return outputs, c
with contextlib.redirect_stdout(io.StringIO()):
    program = torch.onnx.export(Loop().eval(), ([torch.zeros(1, 28) for _ in range(T)],), dynamo=True, verbose=False)
model = program.model_proto
data = model.SerializeToString()
"""
REPORT = """
seconds = time.perf_counter() - start
from math import prod
import json
weights = [list(item.dims) for item in model.graph.initializer if prod(item.dims) >= 28 * 13]
print(json.dumps([seconds, len(model.graph.node), len(data), weights[:4]]))
"""
TOOLS = {"unroll": UNROLL, "TensorFlow + tf2onnx": TF2ONNX, "torch.onnx": TORCH}


def measure(program: str, steps: int) -> tuple[float, int, int, list[list[int]]]:
    """Return seconds, nodes, bytes and the shapes of the large weights of one run in a fresh process."""
    code = f"T = {steps}\n{program}\n{REPORT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    seconds, nodes, size, weights = json.loads(done.stdout.splitlines()[-1])
    return seconds, nodes, size, weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=3, help="processes a figure (default: %(default)s)")
    parser.add_argument("--steps", type=int, nargs="+", default=[28, 100])
    options = parser.parse_args()
    print("| T | tool | seconds | times unroll's | nodes | bytes | weights in the file |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for steps in options.steps:
        runs: dict[str, list[tuple[float, int, int, list[list[int]]]]] = {tool: [] for tool in TOOLS}
        for _ in range(options.runs):
            for tool, program in TOOLS.items():
                runs[tool].append(measure(program, steps))
        base = statistics.median(run[0] for run in runs["unroll"])
        for tool, found in runs.items():
            seconds = statistics.median(run[0] for run in found)
            _, nodes, size, weights = found[-1]
            shapes = ", ".join(str(tuple(shape)) for shape in weights)
            print(f"| {steps} | {tool} | {seconds:.3f} | {seconds / base:.0f} | {nodes} | {size} | {shapes} |")


if __name__ == "__main__":
    main()
