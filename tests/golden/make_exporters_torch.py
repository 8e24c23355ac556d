"""Write exporters/torch*: what both exporters of torch.onnx make of modules as people write them, with feeds and results.

Run it in an environment that has PyTorch, onnxscript and onnxruntime::

    pip install torch==2.13.0 onnxscript==0.7.2 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
    python tests/golden/make_exporters_torch.py

Each network is exported by the TorchScript exporter and by the default one (dynamo), with a batch and a time that are fixed or
open, as `CASES` says. A network that an exporter refuses is listed in the manifest with its words, and has no file.
exporters.py, beside this script, keeps the files and arrays; README.md describes them.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable
from typing import Any

import exporters
import numpy as np
import onnx
import torch
from exporters import FEATURES, UNITS, Case
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

BATCH, TIME = 3, 5


class Recurrent(nn.Module):
    """A recurrent module of torch.nn; its outputs, or with `states` its last states too."""

    def __init__(self, inner: nn.Module, states: bool = False) -> None:
        super().__init__()
        self.inner, self.states = inner, states

    def forward(self, x, *state):
        given = state if len(state) > 1 else state[0] if state else None
        y, last = self.inner(x, given)
        if not self.states:
            return (y,)
        return (y, *last) if isinstance(last, tuple) else (y, last)


class Classifier(nn.Module):
    """Words embedded, read by an LSTM, and told by its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.lstm = nn.Embedding(7, FEATURES), nn.LSTM(FEATURES, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, ids):
        return (torch.softmax(self.head(self.lstm(self.table(ids))[0][:, -1]), -1),)


class LastStates(nn.Module):
    """Both directions' last states, joined, through a GRU of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(FEATURES, UNITS, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * UNITS, 2)

    def forward(self, x):
        h = self.gru(x)[1]
        return (self.head(torch.cat([h[-2], h[-1]], -1)),)


class Packed(nn.Module):
    """Rows of different lengths, packed and padded again."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, last = self.inner(packed)
        padded, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
        return (padded, last[0] if isinstance(last, tuple) else last)


class MaskedSum(nn.Module):
    """An LSTM whose outputs are averaged over the rows' own lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)

    def forward(self, x, lengths):
        y, _ = self.lstm(x)
        mask = (torch.arange(x.shape[1])[None] < lengths[:, None]).to(y.dtype)[..., None]
        return ((y * mask).sum(1) / mask.sum(1).clamp(min=1),)


class Attention(nn.Module):
    """An LSTM's outputs, weighed by how well they go with its last one."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.score = nn.LSTM(FEATURES, UNITS, batch_first=True), nn.Linear(UNITS, UNITS, bias=False)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        weights = torch.softmax(self.score(y) @ h[-1].unsqueeze(-1), 1)
        return ((weights * y).sum(1), weights)


class SelfAttention(nn.Module):
    """Multi-head attention over a GRU's outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.attend = (
            nn.GRU(FEATURES, UNITS, batch_first=True),
            nn.MultiheadAttention(UNITS, 2, batch_first=True),
        )

    def forward(self, x):
        y, _ = self.gru(x)
        return (y + self.attend(y, y, y, need_weights=False)[0],)


class EncoderDecoder(nn.Module):
    """An encoder's last state is where the decoder begins; the decoder is fed what is to be said."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.LSTM(FEATURES, UNITS, batch_first=True), nn.LSTM(2, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x, said):
        return (self.head(self.decoder(said, self.encoder(x)[1])[0]),)


class Generating(nn.Module):
    """A decoder that reads what it said, for three steps."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.cell = nn.GRU(FEATURES, UNITS, batch_first=True), nn.GRUCell(2, UNITS)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x):
        h = self.encoder(x)[1][0]
        said, word = [], torch.zeros(x.shape[0], 2)
        for _ in range(3):
            h = self.cell(word, h)
            word = self.head(h)
            said.append(word)
        return (torch.stack(said, 1),)


class Convolved(nn.Module):
    """Features convolved over time, then read by an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(FEATURES, UNITS, 3, padding=1), nn.BatchNorm1d(UNITS)
        self.lstm = nn.LSTM(UNITS, UNITS, batch_first=True)

    def forward(self, x):
        return (self.lstm(torch.relu(self.norm(self.conv(x.transpose(1, 2)))).transpose(1, 2))[0],)


class Crnn(nn.Module):
    """An image whose columns are the steps of an LSTM both ways, as OCR has it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2)
        self.lstm, self.head = nn.LSTM(2 * FEATURES, UNITS, bidirectional=True), nn.Linear(2 * UNITS, 3)

    def forward(self, image):
        seen = self.pool(torch.relu(self.conv(image))).flatten(1, 2)
        return (torch.log_softmax(self.head(self.lstm(seen.permute(2, 0, 1))[0]), -1),)


class CellLoop(nn.Module):
    """A Python loop over a cell."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x):
        h = torch.zeros(x.shape[0], UNITS)
        state = (h, h) if isinstance(self.cell, nn.LSTMCell) else h
        said = []
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
            said.append(state[0] if isinstance(state, tuple) else state)
        return (torch.stack(said, 1),)


class MaskedLoop(nn.Module):
    """A Python loop over a cell that keeps the state of rows that have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(FEATURES, UNITS)

    def forward(self, x, lengths):
        h = torch.zeros(x.shape[0], UNITS)
        for t in range(x.shape[1]):
            h = torch.where((lengths > t)[:, None], self.cell(x[:, t], h), h)
        return (h,)


class ScriptedLoop(nn.Module):
    """A loop that TorchScript keeps: over as many steps as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(FEATURES, UNITS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.zeros(x.shape[0], 4)
        c = torch.zeros(x.shape[0], 4)
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
        return h


class Residual(nn.Module):
    """Two GRUs, each added to what it reads, with dropout and normalisation between."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.GRU(UNITS, UNITS, batch_first=True), nn.GRU(UNITS, UNITS, batch_first=True)
        self.into, self.norm, self.drop = nn.Linear(FEATURES, UNITS), nn.LayerNorm(UNITS), nn.Dropout(0.3)

    def forward(self, x):
        x = self.into(x)
        x = x + self.drop(self.first(self.norm(x))[0])
        return (x + self.second(self.norm(x))[0],)


def _sequence(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
    return [draw.standard_normal((batch, time, FEATURES)).astype("float32")]


def _states(count: int) -> Callable[..., list[np.ndarray]]:
    def make(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
        states = [draw.standard_normal((1, batch, UNITS)).astype("float32") for _ in range(count)]
        return _sequence(batch, time, draw) + states

    return make


def _lengths(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
    return [*_sequence(batch, time, draw), draw.integers(1, time + 1, batch)]


def _ids(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
    return [draw.integers(0, 7, (batch, time))]


def _said(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
    return [*_sequence(batch, time, draw), draw.standard_normal((batch, time, 2)).astype("float32")]


def _image(batch: int, time: int, draw: np.random.Generator) -> list[np.ndarray]:
    return [draw.standard_normal((batch, 1, 2 * FEATURES, 2 * time)).astype("float32")]


#: A network, what it is fed, and which axes of its inputs are the batch and the time; a state has its batch in axis 1.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[..., list[np.ndarray]]]] = {
    "lstm": (lambda: Recurrent(nn.LSTM(FEATURES, UNITS, batch_first=True)), _sequence),
    "lstm_init": (lambda: Recurrent(nn.LSTM(FEATURES, UNITS, batch_first=True), states=True), _states(2)),
    "gru": (lambda: Recurrent(nn.GRU(FEATURES, UNITS, batch_first=True)), _sequence),
    "gru_init": (lambda: Recurrent(nn.GRU(FEATURES, UNITS, batch_first=True), states=True), _states(1)),
    "rnn": (lambda: Recurrent(nn.RNN(FEATURES, UNITS, batch_first=True)), _sequence),
    "relu_rnn": (lambda: Recurrent(nn.RNN(FEATURES, UNITS, nonlinearity="relu", batch_first=True), True), _sequence),
    "two_lstm": (lambda: Recurrent(nn.LSTM(FEATURES, UNITS, 2, batch_first=True), states=True), _sequence),
    "both_ways_lstm": (lambda: Recurrent(nn.LSTM(FEATURES, UNITS, batch_first=True, bidirectional=True)), _sequence),
    "both_ways_two_gru": (LastStates, _sequence),
    "projected_lstm": (lambda: Recurrent(nn.LSTM(FEATURES, UNITS, batch_first=True, proj_size=2)), _sequence),
    "classifier": (Classifier, _ids),
    "packed_lstm": (lambda: Packed(nn.LSTM(FEATURES, UNITS, batch_first=True)), _lengths),
    "packed_gru": (lambda: Packed(nn.GRU(FEATURES, UNITS, batch_first=True, bidirectional=True)), _lengths),
    "masked_sum": (MaskedSum, _lengths),
    "attention": (Attention, _sequence),
    "self_attention": (SelfAttention, _sequence),
    "encoder_decoder": (EncoderDecoder, _said),
    "generating": (Generating, _sequence),
    "convolved": (Convolved, _sequence),
    "crnn": (Crnn, _image),
    "lstm_cell_loop": (lambda: CellLoop(nn.LSTMCell(FEATURES, UNITS)), _sequence),
    "gru_cell_loop": (lambda: CellLoop(nn.GRUCell(FEATURES, UNITS)), _sequence),
    "masked_loop": (MaskedLoop, _lengths),
    "scripted_loop": (lambda: torch.jit.script(ScriptedLoop()), _sequence),
    "residual": (Residual, _sequence),
}

#: What is open: the batch (b), the time (t).
OPEN = {
    "lstm": "bt", "lstm_init": "bt", "gru": "bt", "gru_init": "b", "rnn": "bt", "relu_rnn": "", "two_lstm": "b",
    "both_ways_lstm": "bt", "both_ways_two_gru": "t", "projected_lstm": "", "classifier": "bt", "packed_lstm": "bt",
    "packed_gru": "b", "masked_sum": "bt", "attention": "bt", "self_attention": "b", "encoder_decoder": "bt",
    "generating": "b", "convolved": "bt", "crnn": "bt", "lstm_cell_loop": "b", "gru_cell_loop": "", "masked_loop": "b",
    "scripted_loop": "bt", "residual": "t",
}  # fmt: skip


def open_axes(arrays: list[np.ndarray], network: str, which: str) -> list[dict[int, str]]:
    """Return for each input the axes that are open, by name."""
    found = []
    for place, array in enumerate(arrays):
        if network.endswith("_init") and place:
            axes = {1: "batch"}
        elif network == "crnn":
            axes = {0: "batch", 3: "width"}
        else:
            axes = {0: "batch", 1: "time"} if array.ndim > 1 else {0: "batch"}
        found.append({axis: name for axis, name in axes.items() if ("b" if name == "batch" else "t") in which})
    return found


def dynamic_shapes(axes: list[dict[int, str]], network: str, dims: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the default exporter wants: for each input, and for those in ``*state`` a tuple."""
    shapes = [{axis: dims[name] for axis, name in item.items()} for item in axes]
    return (shapes[0], tuple(shapes[1:])) if network.endswith("_init") else tuple(shapes)


def export(case: Case, module: nn.Module, arrays: list[np.ndarray]) -> onnx.ModelProto:
    arguments = tuple(map(torch.from_numpy, arrays))
    axes = open_axes(arrays, case.network, case.open)
    names = [f"x{place}" for place in range(len(arrays))]
    if case.made_by == "dynamo":
        dims = {name: torch.export.Dim(name, min=2) for name in ("batch", "time")}
        dims["width"] = torch.export.Dim.DYNAMIC if case.network == "crnn" else None
        if case.network.endswith("_init"):
            arguments = (arguments[0], *arguments[1:])
        given = {"dynamic_shapes": dynamic_shapes(axes, case.network, dims)} if case.open else {}
        program = torch.onnx.export(module, arguments, dynamo=True, verbose=False, input_names=names, **given)
        return program.model_proto
    file = io.BytesIO()
    torch.onnx.export(
        module, arguments, file, dynamo=False, input_names=names, dynamic_axes=dict(zip(names, axes, strict=True)),
        opset_version=17,
    )  # fmt: skip
    return onnx.load_model_from_string(file.getvalue())


def convert(case: Case) -> tuple[Any, Any, list[tuple[int, int]]]:
    """Return what exports the case, what runs the module, and the sizes it is run at."""
    make, feed = NETWORKS[case.network]
    module = make().eval()
    draw = exporters.generator(case, "weights")
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.from_numpy(draw.normal(0, 0.5, tuple(weight.shape)).astype(np.float32)))

    def run(feeds: list[np.ndarray]) -> list[np.ndarray]:
        with torch.no_grad():
            found = module(*map(torch.from_numpy, feeds))
        return [item.numpy() for item in (found if isinstance(found, tuple) else (found,))]

    def exported() -> onnx.ModelProto:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), torch.no_grad():
            return export(case, module, feed(BATCH, TIME, np.random.default_rng(0)))

    def feeds(batch: int, time: int) -> list[np.ndarray]:
        return feed(batch, time, exporters.generator(case, f"feeds {batch} {time}"))

    return exported, run, feeds


CASES = [Case(made_by, network, OPEN[network]) for made_by in ("torchscript", "dynamo") for network in NETWORKS]

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    exporters.write(
        "torch",
        CASES,
        convert,
        (BATCH, TIME),
        {"torch": torch.__version__, "onnxscript": __import__("onnxscript").__version__},
    )
