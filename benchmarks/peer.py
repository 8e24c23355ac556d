"""What runs in the peers' environment; it prints one line of JSON a job.

peer.py versions
peer.py convert tf2onnx|torch|torch-loop 28_1_28_13 file.onnx    seconds from the first line of the program to the bytes
peer.py serve torch-eager|jax-scan|jax-unrolled 28_1_28_13 THREADS    outputs, then times for each number of calls on stdin
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from cases import FORGET_BIAS, Row, peak_memory

# Frameworks print as they please; the results have the real standard output to themselves.
RESULTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", JAX_PLATFORMS="cpu")
warnings.filterwarnings("ignore")
PACKAGES = ("tensorflow-cpu", "tf_keras", "tf2onnx", "torch", "onnxscript", "jax", "numpy")


def answer(value: Any) -> None:
    print(json.dumps(value), file=RESULTS, flush=True)


def versions() -> dict[str, str]:
    """Return the packages that are there, with their versions."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def tf2onnx_of_static_rnn(row: Row) -> Callable[[], Any]:
    """TensorFlow 1's program, frozen and converted."""
    tf: Any = import_module("tensorflow")
    tf2onnx: Any = import_module("tf2onnx")
    logging.disable(logging.CRITICAL)
    v1 = tf.compat.v1
    arrays = row.arrays()

    def convert() -> Any:
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            x = v1.placeholder(tf.float32, arrays["X"].shape, name="X")
            cells = [v1.nn.rnn_cell.BasicLSTMCell(row.units, forget_bias=FORGET_BIAS) for _ in row.cells()]
            steps = tf.unstack(x, axis=0)
            if row.network == "directions":
                outputs, _, _ = v1.nn.static_bidirectional_rnn(*cells, steps, dtype=tf.float32)
            else:
                cell = v1.nn.rnn_cell.MultiRNNCell(cells) if row.network == "layers" else cells[0]
                outputs, state = v1.nn.static_rnn(cell, steps, dtype=tf.float32)
            results = [tf.identity(tf.stack(outputs), "Y")]
            if row.network == "one":
                results += [tf.identity(state.h, "h"), tf.identity(state.c, "c")]
            for cell, weights in zip(cells, row.cells(), strict=True):
                for variable, array in zip(cell.variables, weights, strict=True):
                    variable.load(array, session)
            names = [tensor.name for tensor in results]
            frozen = tf2onnx.tf_loader.freeze_session(session, input_names=[x.name], output_names=names)
        model, _ = tf2onnx.convert.from_graph_def(frozen, input_names=[x.name], output_names=names, opset=13)
        return model

    return convert


def torch_lstm(row: Row) -> Any:
    """Return nn.LSTM with the row's weights."""
    torch: Any = import_module("torch")
    network = torch.nn.LSTM(
        row.inputs, row.units, num_layers=1 + (row.network == "layers"), bidirectional=row.network == "directions"
    ).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in row.state_dict().items()})
    return network


def torch_export(row: Row, loop: bool) -> Callable[[], Any]:
    """nn.LSTM, or a loop over nn.LSTMCell, through torch.onnx."""
    import_module("onnxscript")  # imports are not part of the figure
    torch: Any = import_module("torch")
    logging.disable(logging.CRITICAL)

    class Loop(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.cell = torch.nn.LSTMCell(row.inputs, row.units)

        def forward(self, x: Any) -> Any:
            h = c = torch.zeros(row.batch, row.units)
            outputs = []
            for step in x:
                h, c = self.cell(step, (h, c))
                outputs.append(h)
            return torch.stack(outputs), (h, c)

    class Outputs(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = torch_lstm(row)

        def forward(self, x: Any) -> Any:
            return self.network(x)[0]

    if loop:
        network: Any = Loop().eval()
    else:
        network = torch_lstm(row) if row.network == "one" else Outputs().eval()
    x = torch.from_numpy(row.arrays()["X"])

    def convert() -> Any:
        program = torch.onnx.export(network, (x,), dynamo=True, verbose=False, input_names=["X"])
        return program.model_proto

    return convert


def convert(tool: str, row: Row, target: Path) -> None:
    """Make a model, save it, and say what it took."""
    makers = {
        "tf2onnx": partial(tf2onnx_of_static_rnn, row),
        "torch": partial(torch_export, row, loop=False),
        "torch-loop": partial(torch_export, row, loop=True),
    }
    job = makers[tool]()
    start = time.perf_counter()
    model = job()
    data = model.SerializeToString()
    seconds = time.perf_counter() - start
    target.write_bytes(data)
    day = time.strftime("%Y-%m-%d")
    answer({"seconds": seconds, "peak": peak_memory(), "nodes": len(model.graph.node), "bytes": len(data), "day": day})


def torch_eager(row: Row, threads: int) -> Callable[[], list[Any]]:
    torch: Any = import_module("torch")
    if threads:
        torch.set_num_threads(threads)
    network = torch_lstm(row)
    x = torch.from_numpy(row.arrays()["X"])

    def run() -> list[Any]:
        with torch.inference_mode():
            outputs, (h, c) = network(x)
        return [outputs, h, c][: len(row.output_names)]

    return run


def jax_compiled(row: Row, unrolled: bool) -> Callable[[], list[Any]]:
    """The LSTM in JAX, input product hoisted, weights and inputs on the device already."""
    if find_spec("jax") is None:
        sys.exit("jax is not installed")
    if row.network != "one":
        sys.exit("written in JAX for one cell only")
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    arrays = row.arrays()
    bias = arrays["bias"].copy()
    bias[2 * row.units : 3 * row.units] += FORGET_BIAS
    given = [
        jnp.asarray(array)
        for array in (arrays["kernel"][: row.inputs], arrays["kernel"][row.inputs :], bias, arrays["X"])
    ]

    @jax.jit  # type: ignore[untyped-decorator]
    def network(kernel: Any, recurrent: Any, bias: Any, x: Any) -> Any:
        def step(state: Any, z: Any) -> Any:
            h, c = state
            i, j, f, o = jnp.split(z + h @ recurrent, 4, axis=-1)
            c = c * jax.nn.sigmoid(f) + jax.nn.sigmoid(i) * jnp.tanh(j)
            h = jnp.tanh(c) * jax.nn.sigmoid(o)
            return (h, c), h

        zero = jnp.zeros((row.batch, row.units))
        (h, c), outputs = jax.lax.scan(step, (zero, zero), x @ kernel + bias, unroll=row.steps if unrolled else 1)
        return outputs, h, c

    return lambda: list(jax.block_until_ready(network(*given)))


def serve(tool: str, row: Row, threads: int) -> None:
    """Answer with the outputs, then with as many times as each line asks for."""
    if threads:  # pinned before the framework counts the processors
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        if len(os.sched_getaffinity(0)) > threads:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    makers = {
        "torch-eager": partial(torch_eager, row, threads),
        "jax-scan": partial(jax_compiled, row, unrolled=False),
        "jax-unrolled": partial(jax_compiled, row, unrolled=True),
    }
    run = makers[tool]()
    answer([np.asarray(array).tolist() for array in run()])
    gc.disable()
    clock = time.perf_counter
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = clock()
            run()
            times.append(clock() - start)
        answer(times)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["versions"]:
            answer(versions())
        case ["convert", tool, row, target]:
            convert(tool, Row.parse(row), Path(target))
        case ["serve", tool, row, threads]:
            serve(tool, Row.parse(row), int(threads))
        case _:
            sys.exit(__doc__)
