"""The cases of make_contrib_cells.py: which cells are run, with which options, over what."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One run of a cell by `static_rnn`.

    Attributes:
        cell: the class.
        kwargs: what its constructor is given; `cell`, where it is there, is the class and arguments of a cell inside.
        inputs: what one step's input is: ``features``, ``ids``, ``time`` (a time beside features), ``time64`` (a float64
            time), or the shape of an image without its batch.
    """

    cell: str
    batch: int
    steps: int
    initial_state: bool
    kwargs: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    inputs: str | tuple[int, ...] = "features"
    input_size: int = 4

    @property
    def id(self) -> str:
        parts = [self.cell]
        for name, value in sorted(self.kwargs.items()):
            shown = (
                "+".join([value["cell"], *(f"{k}={v}" for k, v in sorted(value["kwargs"].items()))])
                if isinstance(value, dict)
                else value
            )
            parts.append(f"{name}={shown}".replace(" ", ""))
        parts += [self.inputs] if self.inputs == "time64" else []
        parts += [f"b{self.batch}", f"t{self.steps}"]
        parts += ["init"] if self.initial_state else []
        parts += [self.dtype] if self.dtype != "float32" else []
        return "-".join(parts)


def inner(cell: str, **kwargs: Any) -> dict[str, Any]:
    return {"cell": cell, "kwargs": kwargs}


LSTM, GRU = inner("BasicLSTMCell", num_units=3), inner("GRUCell", num_units=3)
ONE_ROW, IMAGE, CUBE = [5, 2], [4, 3, 2], [2, 3, 2, 2]

#: The cells with their defaults, each crossed with batches, steps and initial states.
PLAIN: list[tuple[str, dict[str, Any], Any]] = [
    ("UGRNNCell", {"num_units": 3}, "features"),
    ("NASCell", {"num_units": 3}, "features"),
    ("IntersectionRNNCell", {"num_units": 3, "num_in_proj": 3}, "features"),
    ("CoupledInputForgetGateLSTMCell", {"num_units": 3}, "features"),
    ("PhasedLSTMCell", {"num_units": 3}, "time"),
    ("LayerNormBasicLSTMCell", {"num_units": 3}, "features"),
    ("SRUCell", {"num_units": 3}, "features"),
    ("IndRNNCell", {"num_units": 3}, "features"),
    ("IndyGRUCell", {"num_units": 3}, "features"),
    ("IndyLSTMCell", {"num_units": 3}, "features"),
    ("MinimalRNNCell", {"units": 3}, "features"),
    ("AttentionCellWrapper", {"cell": LSTM, "attn_length": 2}, "features"),
    ("InputProjectionWrapper", {"cell": GRU, "num_proj": 2}, "features"),
    ("OutputProjectionWrapper", {"cell": LSTM, "output_size": 2}, "features"),
    ("EmbeddingWrapper", {"cell": LSTM, "embedding_classes": 5, "embedding_size": 2}, "ids"),
    ("Conv1DLSTMCell", {"input_shape": ONE_ROW, "output_channels": 2, "kernel_shape": [3]}, tuple(ONE_ROW)),
    ("Conv2DLSTMCell", {"input_shape": IMAGE, "output_channels": 2, "kernel_shape": [3, 3]}, tuple(IMAGE)),
    ("SLSTMCell", {"num_units": 4}, "features"),
]

#: The cells' own options, each run twice.
OPTIONS: list[tuple[str, dict[str, Any], Any]] = [
    ("UGRNNCell", {"num_units": 3, "forget_bias": 0.0, "activation": "relu"}, "features"),
    ("NASCell", {"num_units": 3, "use_bias": True}, "features"),
    ("NASCell", {"num_units": 3, "num_proj": 2}, "features"),
    ("NASCell", {"num_units": 3, "num_proj": 4, "use_bias": True}, "features"),
    ("IntersectionRNNCell", {"num_units": 4}, "features"),  # no projection where the input is as wide as the cell
    ("IntersectionRNNCell", {"num_units": 4, "num_in_proj": 4}, "features"),
    ("IntersectionRNNCell", {"num_units": 3, "num_in_proj": 3, "y_activation": "tanh", "forget_bias": 0.5}, "features"),
    ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "use_peepholes": True}, "features"),
    ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "num_proj": 2}, "features"),
    (
        "CoupledInputForgetGateLSTMCell",
        {"num_units": 3, "num_proj": 2, "proj_clip": 0.25, "use_peepholes": True, "forget_bias": 0.0},
        "features",
    ),
    ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "state_is_tuple": False, "num_proj": 2}, "features"),
    (
        "CoupledInputForgetGateLSTMCell",
        {"num_units": 3, "num_unit_shards": 2, "num_proj_shards": 3, "num_proj": 2},
        "features",
    ),
    ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "layer_norm": True}, "features"),
    (
        "CoupledInputForgetGateLSTMCell",
        {"num_units": 3, "layer_norm": True, "use_peepholes": True, "num_proj": 2, "activation": "relu"},
        "features",
    ),
    ("PhasedLSTMCell", {"num_units": 3, "use_peepholes": True, "leak": 0.05}, "time"),
    ("PhasedLSTMCell", {"num_units": 3}, "time64"),
    ("LayerNormBasicLSTMCell", {"num_units": 3, "layer_norm": False}, "features"),
    (
        "LayerNormBasicLSTMCell",
        {"num_units": 3, "forget_bias": 0.0, "activation": "relu", "norm_gain": 2.0},
        "features",
    ),
    ("SRUCell", {"num_units": 3, "activation": "relu"}, "features"),
    ("IndRNNCell", {"num_units": 3, "activation": "relu"}, "features"),
    ("IndyGRUCell", {"num_units": 3, "activation": "relu"}, "features"),
    ("IndyLSTMCell", {"num_units": 3, "activation": "relu", "forget_bias": 0.0}, "features"),
    ("MinimalRNNCell", {"units": 3, "activation": "relu"}, "features"),
    ("AttentionCellWrapper", {"cell": GRU, "attn_length": 1}, "features"),
    ("AttentionCellWrapper", {"cell": GRU, "attn_length": 3, "attn_size": 2, "attn_vec_size": 4}, "features"),
    ("AttentionCellWrapper", {"cell": GRU, "attn_length": 2, "state_is_tuple": False, "input_size": 2}, "features"),
    ("AttentionCellWrapper", {"cell": LSTM, "attn_length": 3, "attn_size": 4}, "features"),
    ("InputProjectionWrapper", {"cell": LSTM, "num_proj": 3, "activation": "relu"}, "features"),
    ("OutputProjectionWrapper", {"cell": GRU, "output_size": 4, "activation": "tanh"}, "features"),
    ("EmbeddingWrapper", {"cell": GRU, "embedding_classes": 3, "embedding_size": 3}, "ids"),
    *(
        ("Conv2DLSTMCell", {"input_shape": IMAGE, "output_channels": 2, **options}, tuple(IMAGE))
        for options in (
            {"kernel_shape": [3, 3], "use_bias": False},
            {"kernel_shape": [1, 2], "forget_bias": 0.0},
            {"kernel_shape": [2, 3], "skip_connection": True},
        )
    ),
    (
        "Conv1DLSTMCell",
        {"input_shape": ONE_ROW, "output_channels": 3, "kernel_shape": [2], "skip_connection": True},
        tuple(ONE_ROW),
    ),
    ("Conv3DLSTMCell", {"input_shape": CUBE, "output_channels": 2, "kernel_shape": [2, 3, 1]}, tuple(CUBE)),
    (
        "ConvLSTMCell",
        {"conv_ndims": 1, "input_shape": ONE_ROW, "output_channels": 2, "kernel_shape": [4], "use_bias": False},
        tuple(ONE_ROW),
    ),
    ("SLSTMCell", {"num_units": 4, "num_heads": 2}, "features"),
    ("SLSTMCell", {"num_units": 4, "forget_activation": "exp"}, "features"),
    ("SLSTMCell", {"num_units": 4, "num_heads": 4, "forget_activation": "exp"}, "features"),
]


def all_cases() -> Iterator[Case]:
    """The plain cells crossed, each of them and each option in both dtypes."""
    for cell, kwargs, inputs in PLAIN:
        for steps, (batch, given) in itertools.product((1, 2, 7), ((1, False), (3, True))):
            yield Case(cell, batch, steps, given, kwargs, inputs=inputs)
        yield Case(cell, 3, 7, False, kwargs, inputs=inputs)
        yield Case(cell, 1, 7, True, kwargs, inputs=inputs)
        yield Case(cell, 3, 7, True, kwargs, "float64", inputs)
    for cell, kwargs, inputs in OPTIONS:
        yield Case(cell, 3, 7, True, kwargs, inputs=inputs)
        if inputs != "time64":  # in float64 the time of every case is float64
            yield Case(cell, 1, 2, False, kwargs, "float64", inputs)
