"""Write torch_rnn/: what torch's default exporter makes of `torch.nn.RNN`, which it writes flat, with feeds and results.

Run it with no arguments, in an environment of its own::

    pip install torch==2.13.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0 numpy
    python make_torch_rnn.py

Each file is the network in seeded random numbers. It is run in onnxruntime over seeded feeds, and held against PyTorch. What
torch.onnx notes of each node (stack traces, with the paths of this machine) is taken out of the files; nothing else is.
"""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "torch_rnn"
#: layers, both directions, batch first, states given, nonlinearity, batch (None is any), steps
CASES = {
    "one_layer": (1, False, False, False, "tanh", 2, 5),
    "one_layer-states-batch_first": (1, False, True, True, "tanh", 3, 4),
    "one_layer-any_batch": (1, False, True, True, "tanh", None, 4),
    "relu-both_ways-states": (1, True, False, True, "relu", 2, 4),
    "two_layers-both_ways": (2, True, True, False, "relu", 2, 4),
    "two_layers-states": (2, False, False, True, "tanh", 2, 4),
}


class Network(nn.Module):
    def __init__(self, rnn: nn.RNN) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: Any, h: Any = None) -> Any:
        return self.rnn(x) if h is None else self.rnn(x, h)


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what is noted of each node and value."""
    for item in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph):
        del item.metadata_props[:]
        if isinstance(item, onnx.NodeProto):
            item.doc_string = ""
    del model.metadata_props[:]
    return model


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    for name, (layers, both, first, states, nonlinearity, batch, steps) in CASES.items():
        torch.manual_seed(20261126)
        rnn = nn.RNN(3, 4, layers, nonlinearity, batch_first=first, bidirectional=both)
        network, rows = Network(rnn).eval(), batch or 2
        inputs = [torch.randn((rows, steps, 3) if first else (steps, rows, 3))]
        inputs += [torch.randn(layers * (1 + both), rows, 4)] if states else []
        named = ["x", "h"][: len(inputs)]
        dims = {} if batch else {"dynamic_shapes": ({0: "batch"}, {1: "batch"})}
        program = torch.onnx.export(
            network,
            tuple(inputs),
            dynamo=True,
            input_names=named,
            output_names=["output", "h_n"],
            verbose=False,
            **dims,
        )
        model = bare(program.model_proto)
        path = FOLDER / f"{name}.onnx"
        onnx.save(model, path)
        feeds = dict(zip(named, (item.numpy() for item in inputs), strict=True))
        results = onnxruntime.InferenceSession(str(path)).run(None, feeds)
        with torch.no_grad():
            wanted = [item.numpy() for item in network(*inputs)]
        for result, theirs in zip(results, wanted, strict=True):
            np.testing.assert_allclose(result, theirs, atol=1e-6)
        arrays |= {f"{name}/{key}": value for key, value in feeds.items()}
        arrays |= {f"{name}/{key}": value for key, value in zip(["output", "h_n"], wanted, strict=True)}
    np.savez_compressed(HERE / "torch_rnn.npz", **arrays)
    versions = {item.__name__: item.__version__ for item in (torch, onnx, onnxruntime, np)}
    listed = {"versions": {"python": platform.python_version(), **versions}, "cases": list(CASES)}
    (HERE / "torch_rnn.json").write_text(json.dumps(listed, indent=1) + "\n")


if __name__ == "__main__":
    main()
