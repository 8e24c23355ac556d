"""The cases of make_keras_layers.py: which layers, with which arguments, on which inputs. Keras is not imported here."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH = 4  # features of the inputs
UNITS = 3

Array = npt.NDArray[Any]
Spec = dict[str, Any]


def layer(name: str, /, **kwargs: Any) -> Spec:
    """A layer to build, as the manifest has it."""
    return {"class": name, "kwargs": kwargs}


def sequential(*layers: Spec) -> Spec:
    return layer("Sequential", layers=list(layers))


@dataclass(frozen=True)
class Case:
    """One layer or model and what it is called on.

    `states` holds the shape of each initial state, in the nest that Keras takes; `mask` is the name of a pattern of
    `make_mask`; `resets` says before which of the calls the states are reset. `ids` is the number of words where the
    inputs are integers. `blank` names a mask pattern whose masked steps are filled with the masking
    value. `compiled` has XLA compile the call.
    """

    id: str
    spec: Spec
    shape: tuple[int, ...]
    mask: str | None = None
    states: Any = None
    dtype: str = "float32"
    calls: int = 1
    resets: tuple[int, ...] = ()
    ids: int | None = None
    ids_dtype: str = "int32"
    blank: str | None = None
    blank_value: float = 0.0
    compiled: bool = False


MASKS: dict[str, Any] = {
    # rows of (3, 7): False where a step is masked
    "start": ["0111111", "0011111", "0000011"],
    "middle": ["1101111", "1100011", "1010101"],
    "end": ["1111110", "1111000", "1000000"],
    "whole": ["1111111", "0000000", "1111000"],
    "none": ["1111111", "1111111", "1111111"],
}


def make_mask(name: str, batch: int, steps: int) -> Array:
    rows = [[mark == "1" for mark in row] for row in MASKS[name]]
    return np.array(rows)[:batch, -steps:] if name == "start" else np.array(rows)[:batch, :steps]


RECURRENT: dict[str, tuple[str, Spec]] = {
    "simple": ("SimpleRNN", {}),
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru-before": ("GRU", {"reset_after": False}),
}
SEQ_STATE = {"return_sequences": True, "return_state": True}


def recurrent(short: str, **kwargs: Any) -> Spec:
    name, fixed = RECURRENT[short]
    return layer(name, units=UNITS, **fixed, **kwargs)


def state_shapes(short: str, batch: int) -> list[tuple[int, int]]:
    return [(batch, UNITS)] * (2 if short == "lstm" else 1)


def plain_cases() -> Iterator[Case]:
    """Each recurrent layer: lengths, batches and what it returns, crossed."""
    modes: dict[str, Spec] = {
        "last": {},
        "seq": {"return_sequences": True},
        "seq-state": SEQ_STATE,
        "back-state": {"return_state": True, "go_backwards": True},
        "back-seq": {"return_sequences": True, "go_backwards": True},
    }
    for short, batch, steps, mode in itertools.product(RECURRENT, (1, 3), (1, 2, 7), modes):
        if mode == "back-seq" and (batch, steps) != (3, 7):
            continue
        yield Case(f"{short}-{mode}-b{batch}-t{steps}", recurrent(short, **modes[mode]), (batch, steps, WIDTH))
    for short in RECURRENT:
        yield Case(f"{short}-state-b3-t7", recurrent(short, return_state=True), (3, 7, WIDTH))


def mask_cases() -> Iterator[Case]:
    modes: dict[str, Spec] = {
        "last-state": {"return_state": True},
        "seq-state": SEQ_STATE,
        "seq-zero": {**SEQ_STATE, "zero_output_for_mask": True},
        "last-zero": {"return_state": True, "zero_output_for_mask": True},
        "back-seq": {**SEQ_STATE, "go_backwards": True},
        "back-last": {"return_state": True, "go_backwards": True},
        "back-zero": {**SEQ_STATE, "go_backwards": True, "zero_output_for_mask": True},
    }
    for mask, mode in itertools.product(MASKS, modes):
        yield Case(f"lstm-mask-{mask}-{mode}", recurrent("lstm", **modes[mode]), (3, 7, WIDTH), mask)
    for short, mode in itertools.product(("simple", "gru", "gru-before"), modes):
        for mask in ("whole", "start") if mode.startswith("back") else ("middle", "whole", "end"):
            yield Case(f"{short}-mask-{mask}-{mode}", recurrent(short, **modes[mode]), (3, 7, WIDTH), mask)
    for short, (batch, steps) in itertools.product(RECURRENT, ((1, 1), (3, 2), (1, 7))):
        id = f"{short}-mask-b{batch}-t{steps}"
        yield Case(id, recurrent(short, **SEQ_STATE), (batch, steps, WIDTH), "start" if steps < 7 else "middle")
    yield Case("lstm-mask-b1-t1-last", recurrent("lstm"), (1, 1, WIDTH), "start")


def argument_cases() -> Iterator[Case]:
    """Initial states, unrolling, biases, activations, dtypes and dropout."""
    shape = (3, 7, WIDTH)
    for short in RECURRENT:
        states = state_shapes(short, 3)
        yield Case(f"{short}-init", recurrent(short, **SEQ_STATE), shape, states=states)
        yield Case(
            f"{short}-init-b1-t1", recurrent(short, return_state=True), (1, 1, WIDTH), states=state_shapes(short, 1)
        )
        yield Case(f"{short}-init-back", recurrent(short, **SEQ_STATE, go_backwards=True), shape, states=states)
        yield Case(f"{short}-init-mask-whole", recurrent(short, **SEQ_STATE), shape, "whole", states)
        yield Case(f"{short}-unroll", recurrent(short, **SEQ_STATE, unroll=True), shape)
        yield Case(f"{short}-unroll-mask", recurrent(short, **SEQ_STATE, unroll=True), shape, "middle", states)
        zeroed = {**SEQ_STATE, "unroll": True, "zero_output_for_mask": True}
        yield Case(f"{short}-unroll-mask-zero", recurrent(short, **zeroed), shape, "whole")
        yield Case(f"{short}-no-bias", recurrent(short, **SEQ_STATE, use_bias=False), shape)
        yield Case(f"{short}-dropout", recurrent(short, dropout=0.5, recurrent_dropout=0.3, seed=1), shape)
        for name, kwargs, mask, init in (
            ("plain", {}, None, False),
            ("init-mask", SEQ_STATE, "middle", True),
            ("back", {**SEQ_STATE, "go_backwards": True}, None, False),
        ):
            spec = recurrent(short, **kwargs, dtype="float64")
            yield Case(f"{short}-float64-{name}", spec, shape, mask, states if init else None, dtype="float64")
    for activation in ("relu", "linear", "gelu", "swish", "elu", "hard_sigmoid", "softsign", "leaky_relu", None):
        yield Case(f"simple-{activation}", recurrent("simple", activation=activation, return_sequences=True), shape)
    pairs = [
        ("relu", "sigmoid"),
        ("tanh", "hard_sigmoid"),
        ("linear", "relu"),
        ("gelu", "sigmoid"),
        ("swish", "linear"),
        ("elu", "hard_sigmoid"),
        ("softplus", "softmax"),
        (None, None),
    ]
    for short, (activation, gate) in itertools.product(("lstm", "gru", "gru-before"), pairs):
        spec = recurrent(short, activation=activation, recurrent_activation=gate, return_sequences=True)
        yield Case(f"{short}-{activation}-{gate}", spec, (3, 4, WIDTH))
    yield Case(
        "lstm-float64-elu-hard_sigmoid",
        recurrent("lstm", activation="elu", recurrent_activation="hard_sigmoid", dtype="float64"),
        shape,
        dtype="float64",
    )
    yield Case("gru-init-bare", recurrent("gru", **SEQ_STATE), shape, states=(3, UNITS))
    yield Case("lstm-no-unit-forget-bias", recurrent("lstm", unit_forget_bias=False), shape)
    yield Case("gru-before-no-bias-mask", recurrent("gru-before", **SEQ_STATE, use_bias=False), shape, "end")
    yield Case("gru-no-bias-relu", recurrent("gru", use_bias=False, activation="relu"), shape)


def stateful_cases() -> Iterator[Case]:
    """Several calls, one after another; the states are reset before the last."""

    def case(id: str, spec: Spec, **more: Any) -> Case:
        return Case(
            f"{id}-stateful", spec, more.pop("shape", (3, 2, WIDTH)), calls=4, resets=more.pop("resets", (3,)), **more
        )

    for short in RECURRENT:
        yield case(short, recurrent(short, stateful=True))
        yield case(f"{short}-seq-state", recurrent(short, stateful=True, **SEQ_STATE))
        yield case(
            f"{short}-mask", recurrent(short, stateful=True, return_sequences=True), mask="whole", shape=(3, 7, WIDTH)
        )
    yield case("lstm-back-b1-t1", recurrent("lstm", stateful=True, go_backwards=True), shape=(1, 1, WIDTH))
    yield case("lstm-float64", recurrent("lstm", stateful=True, dtype="float64"), dtype="float64")
    cells = [layer("LSTMCell", units=2), layer("GRUCell", units=3)]
    # Keras cannot reset states that are nested.
    yield case("rnn-list", layer("RNN", cell=cells, stateful=True, return_sequences=True), resets=())
    yield case(
        "bidirectional-lstm", layer("Bidirectional", layer=recurrent("lstm", stateful=True, return_sequences=True))
    )
    convolution = layer("ConvLSTM1D", filters=2, kernel_size=3, padding="same", stateful=True)
    yield case("conv_lstm1d", convolution, shape=(2, 2, 5, 2))
    yield case(
        "sequential-gru-gru-dense",
        sequential(
            layer("Input", batch_shape=[3, 2, WIDTH]),
            recurrent("gru", stateful=True, return_sequences=True),
            recurrent("gru", stateful=True),
            layer("Dense", units=2),
        ),
    )


def cell_cases() -> Iterator[Case]:
    """Cells called directly, RNN over one cell or over a list, stacks of cells, and cells of a user."""
    variants: dict[str, Spec] = {
        "simple_cell": layer("SimpleRNNCell", units=UNITS),
        "simple_cell-relu-no-bias": layer("SimpleRNNCell", units=UNITS, activation="relu", use_bias=False),
        "lstm_cell": layer("LSTMCell", units=UNITS),
        "lstm_cell-hard_sigmoid-no-bias": layer(
            "LSTMCell", units=UNITS, recurrent_activation="hard_sigmoid", use_bias=False
        ),
        "gru_cell": layer("GRUCell", units=UNITS),
        "gru_cell-before": layer("GRUCell", units=UNITS, reset_after=False),
        "gru_cell-no-bias": layer("GRUCell", units=UNITS, use_bias=False),
        "minimal_cell": layer("MinimalRNNCell", units=UNITS),
    }
    for (short, spec), batch in itertools.product(variants.items(), (1, 3)):
        count = 2 if short.startswith("lstm") else 1
        yield Case(f"{short}-direct-b{batch}", spec, (batch, WIDTH), states=[(batch, UNITS)] * count)
    for short in ("simple_cell", "lstm_cell", "gru_cell"):
        spec = layer(variants[short]["class"], **variants[short]["kwargs"], dtype="float64")
        count = 2 if short.startswith("lstm") else 1
        yield Case(f"{short}-direct-float64", spec, (3, WIDTH), states=[(3, UNITS)] * count, dtype="float64")
    yield Case("simple_cell-direct-bare-state", variants["simple_cell"], (3, WIDTH), states=(3, UNITS))
    for (short, cell), mode in itertools.product(variants.items(), ("last", "seq-state", "back-mask")):
        kwargs: Spec = {"last": {}, "seq-state": SEQ_STATE, "back-mask": {**SEQ_STATE, "go_backwards": True}}[mode]
        mask = "whole" if mode == "back-mask" else None
        yield Case(f"rnn-{short}-{mode}", layer("RNN", cell=cell, **kwargs), (3, 7, WIDTH), mask)

    two = [(3, 2), (3, 3)]
    own = layer("TwoStatesCell", first=2, second=3, output=4)
    yield Case("two_states_cell-direct", own, (3, WIDTH), states=two)
    yield Case("rnn-two_states_cell", layer("RNN", cell=own, **SEQ_STATE), (3, 7, WIDTH))
    yield Case("rnn-two_states_cell-last-b1-t1", layer("RNN", cell=own), (1, 1, WIDTH))
    yield Case("rnn-two_states_cell-init-mask", layer("RNN", cell=own, **SEQ_STATE), (3, 7, WIDTH), "whole", two)
    zeroed = layer("RNN", cell=own, zero_output_for_mask=True, **SEQ_STATE)
    yield Case("rnn-two_states_cell-mask-zero", zeroed, (3, 7, WIDTH), "middle")

    lstms = [layer("LSTMCell", units=2), layer("LSTMCell", units=3)]
    mixed = [layer("GRUCell", units=2), layer("LSTMCell", units=3), layer("SimpleRNNCell", units=2)]
    lstm_states = [[(3, 2), (3, 2)], [(3, 3), (3, 3)]]
    mixed_states = [[(3, 2)], [(3, 3), (3, 3)], [(3, 2)]]
    yield Case("stacked-lstms-direct", layer("StackedRNNCells", cells=lstms), (3, WIDTH), states=lstm_states)
    yield Case("stacked-mixed-direct", layer("StackedRNNCells", cells=mixed), (3, WIDTH), states=mixed_states)
    for batch, steps in itertools.product((1, 3), (1, 2, 7)):
        yield Case(f"rnn-lstms-b{batch}-t{steps}", layer("RNN", cell=lstms, **SEQ_STATE), (batch, steps, WIDTH))
    yield Case("rnn-lstms-last", layer("RNN", cell=lstms), (3, 7, WIDTH))
    yield Case("rnn-lstms-init", layer("RNN", cell=lstms, return_state=True), (3, 7, WIDTH), states=lstm_states)
    yield Case("rnn-lstms-back-mask", layer("RNN", cell=lstms, **SEQ_STATE, go_backwards=True), (3, 7, WIDTH), "start")
    wide: Spec = {"dtype": "float64"}
    doubles = [layer("LSTMCell", units=2, **wide), layer("LSTMCell", units=3, **wide)]
    spec = layer("RNN", cell=layer("StackedRNNCells", cells=doubles, **wide), **wide, **SEQ_STATE)
    yield Case("rnn-lstms-float64-mask", spec, (3, 7, WIDTH), "end", dtype="float64")
    stack = layer("StackedRNNCells", cells=mixed)
    yield Case(
        "rnn-mixed-mask-zero", layer("RNN", cell=stack, **SEQ_STATE, zero_output_for_mask=True), (3, 7, WIDTH), "whole"
    )
    yield Case("rnn-mixed-last", layer("RNN", cell=mixed), (3, 7, WIDTH))
    yield Case("rnn-list-of-one-simple", layer("RNN", cell=[layer("SimpleRNNCell", units=3)]), (3, 7, WIDTH))
    with_own = [layer("LSTMCell", units=2), layer("MinimalRNNCell", units=3)]
    yield Case("rnn-lstm-minimal", layer("RNN", cell=with_own, return_sequences=True), (3, 7, WIDTH))


def bidirectional_cases() -> Iterator[Case]:
    merges = ("concat", "sum", "mul", "ave", None)
    shape = (3, 7, WIDTH)

    def both(inner: Spec, **kwargs: Any) -> Spec:
        return layer("Bidirectional", layer=inner, **kwargs)

    for merge, short, sequences in itertools.product(merges, RECURRENT, (False, True)):
        spec = both(recurrent(short, return_sequences=sequences), merge_mode=merge)
        yield Case(f"bidirectional-{short}-{merge}{'-seq' if sequences else ''}", spec, shape)
    for merge, short in itertools.product(merges, ("lstm", "gru")):
        yield Case(
            f"bidirectional-{short}-{merge}-seq-state", both(recurrent(short, **SEQ_STATE), merge_mode=merge), shape
        )
    for mask, sequences in itertools.product(MASKS, (False, True)):
        spec = both(recurrent("lstm", return_sequences=sequences, return_state=True))
        yield Case(f"bidirectional-lstm-mask-{mask}{'-seq' if sequences else ''}", spec, shape, mask)
    for merge in merges[1:]:
        yield Case(
            f"bidirectional-gru-mask-{merge}", both(recurrent("gru", **SEQ_STATE), merge_mode=merge), shape, "middle"
        )
    for batch, steps in itertools.product((1, 3), (1, 2)):
        spec = both(recurrent("gru-before", return_sequences=True))
        yield Case(f"bidirectional-gru-before-b{batch}-t{steps}", spec, (batch, steps, WIDTH))
    for short in RECURRENT:
        states = state_shapes(short, 3) * 2
        yield Case(f"bidirectional-{short}-init", both(recurrent(short, **SEQ_STATE)), shape, states=states)
        yield Case(f"bidirectional-{short}-init-mask", both(recurrent(short, **SEQ_STATE)), shape, "whole", states)
    own = recurrent("gru", go_backwards=True, return_sequences=True, activation="relu")
    for merge in merges:
        spec = both(recurrent("lstm", return_sequences=True), backward_layer=own, merge_mode=merge)
        yield Case(f"bidirectional-lstm-own-gru-{merge}", spec, shape)
    wider = layer("LSTM", units=2, go_backwards=True, name="narrower")
    yield Case("bidirectional-lstm-own-narrower", both(recurrent("lstm"), backward_layer=wider), shape)
    yield Case(
        "bidirectional-back-first",
        both(
            recurrent("gru", return_sequences=True, go_backwards=True),
            backward_layer=recurrent("gru", return_sequences=True, name="forth"),
        ),
        shape,
    )
    yield Case("bidirectional-lstm-zero_output-last", both(recurrent("lstm", zero_output_for_mask=True)), shape, "end")
    yield Case(
        "bidirectional-lstm-float64",
        both(recurrent("lstm", dtype="float64", **SEQ_STATE), dtype="float64"),
        shape,
        "whole",
        dtype="float64",
    )
    yield Case(
        "bidirectional-rnn-lstm_cell", both(layer("RNN", cell=layer("LSTMCell", units=2), return_sequences=True)), shape
    )
    yield Case("bidirectional-no-bias", both(recurrent("lstm", use_bias=False)), shape)
    yield Case(
        "bidirectional-rnn-list",
        both(layer("RNN", cell=[layer("LSTMCell", units=2), layer("GRUCell", units=3)], return_sequences=True)),
        shape,
    )


def plain_layer_cases() -> Iterator[Case]:
    """Layers without a state: Dense, TimeDistributed, Embedding, Masking, Dropout, LayerNormalization."""
    for name, shape in (("2d", (3, WIDTH)), ("3d", (3, 2, WIDTH)), ("4d", (1, 2, 3, WIDTH))):
        yield Case(f"dense-{name}", layer("Dense", units=2), shape)
    for activation in ("relu", "softmax", "gelu", "log_softmax", "mish"):
        yield Case(f"dense-{activation}", layer("Dense", units=3, activation=activation), (3, WIDTH))
    yield Case("dense-no-bias", layer("Dense", units=2, use_bias=False), (3, WIDTH))
    yield Case(
        "dense-float64", layer("Dense", units=2, activation="tanh", dtype="float64"), (3, WIDTH), dtype="float64"
    )
    for batch, steps in itertools.product((1, 3), (1, 2, 7)):
        spec = layer("TimeDistributed", layer=layer("Dense", units=2))
        yield Case(f"time_distributed-dense-b{batch}-t{steps}", spec, (batch, steps, WIDTH))
    spec = layer("TimeDistributed", layer=layer("Dense", units=3, activation="softmax"))
    yield Case("time_distributed-dense-softmax", spec, (3, 7, WIDTH))
    yield Case("time_distributed-dense-4d", layer("TimeDistributed", layer=layer("Dense", units=2)), (3, 2, 3, WIDTH))
    yield Case("time_distributed-lstm", layer("TimeDistributed", layer=layer("LSTM", units=2)), (3, 2, 3, WIDTH))
    yield Case(
        "time_distributed-mask", layer("TimeDistributed", layer=layer("Dense", units=2)), (3, 7, WIDTH), "middle"
    )
    yield Case("embedding", layer("Embedding", input_dim=5, output_dim=3), (3, 7), ids=5)
    yield Case("embedding-b1-t1", layer("Embedding", input_dim=5, output_dim=3, mask_zero=True), (1, 1), ids=5)
    yield Case("embedding-int64", layer("Embedding", input_dim=5, output_dim=3), (3, 2), ids=5, ids_dtype="int64")
    spec = layer("Embedding", input_dim=5, output_dim=3, dtype="float64")
    yield Case("embedding-float64", spec, (3, 2), ids=5, dtype="float64")
    yield Case("masking", layer("Masking"), (3, 7, WIDTH), blank="whole")
    yield Case("masking-value", layer("Masking", mask_value=-1.5), (3, 7, WIDTH), blank="middle", blank_value=-1.5)
    yield Case("masking-float64", layer("Masking", dtype="float64"), (3, 2, WIDTH), blank="end", dtype="float64")
    yield Case("dropout", layer("Dropout", rate=0.5), (3, 7, WIDTH))
    normal: dict[str, Spec] = {
        "plain": {},
        "axis1": {"axis": 1},
        "axes": {"axis": [1, 2]},
        "no-center": {"center": False},
        "no-scale": {"scale": False},
        "neither": {"center": False, "scale": False},
        "epsilon": {"epsilon": 0.5},
    }
    for name, kwargs in normal.items():
        yield Case(f"layer_norm-{name}", layer("LayerNormalization", **kwargs), (3, 2, WIDTH))
    yield Case("layer_norm-2d", layer("LayerNormalization"), (3, WIDTH))
    yield Case("layer_norm-float64", layer("LayerNormalization", dtype="float64"), (3, 2, WIDTH), dtype="float64")


def convolution_cases() -> Iterator[Case]:
    def conv1(**kwargs: Any) -> Spec:
        return layer("ConvLSTM1D", **{"filters": 2, "kernel_size": 3, **kwargs})

    def conv2(**kwargs: Any) -> Spec:
        return layer("ConvLSTM2D", **{"filters": 2, "kernel_size": [2, 3], **kwargs})

    line, plane = (2, 3, 6, 2), (2, 2, 4, 5, 2)
    first = {"data_format": "channels_first"}
    variants: dict[str, Spec] = {
        "plain": {},
        "same": {"padding": "same"},
        "seq-state": SEQ_STATE,
        "same-seq-state": {"padding": "same", **SEQ_STATE},
        "strides": {"strides": 2},
        "strides-same": {"strides": 2, "padding": "same", **SEQ_STATE},
        "dilation": {"dilation_rate": 2},
        "dilation-same": {"dilation_rate": 2, "padding": "same"},
        "back-seq": {"go_backwards": True, "return_sequences": True},
        "relu-hard_sigmoid": {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
        "no-bias": {"use_bias": False, "padding": "same"},
        "no-unit-forget-bias": {"unit_forget_bias": False},
        "dropout": {"dropout": 0.5, "recurrent_dropout": 0.5},
    }
    for name, kwargs in variants.items():
        yield Case(f"conv_lstm1d-{name}", conv1(**kwargs), line)
        plain = {**kwargs, "kernel_size": 2} if name.startswith("dilation") else kwargs
        yield Case(f"conv_lstm2d-{name}", conv2(**plain), plane)
    # TensorFlow has convolutions with the channels first on a CPU only in what XLA compiles.
    yield Case("conv_lstm1d-first", conv1(**first, return_sequences=True), (2, 3, 2, 6), compiled=True)
    yield Case("conv_lstm1d-first-same-state", conv1(**first, padding="same", **SEQ_STATE), (2, 3, 2, 6), compiled=True)
    yield Case("conv_lstm2d-first", conv2(**first, return_sequences=True), (2, 2, 2, 4, 5), compiled=True)
    yield Case(
        "conv_lstm2d-first-same-state", conv2(**first, padding="same", **SEQ_STATE), (2, 2, 2, 4, 5), compiled=True
    )
    yield Case("conv_lstm2d-first-strides", conv2(**first, strides=[1, 2]), (2, 2, 2, 4, 5), compiled=True)
    yield Case("conv_lstm2d-even-same", conv2(kernel_size=[2, 4], padding="same"), plane)
    yield Case("conv_lstm2d-strides-each", conv2(strides=[2, 1], padding="same"), plane)
    yield Case("conv_lstm1d-b1-t1", conv1(), (1, 1, 4, 2))
    yield Case("conv_lstm1d-t7", conv1(padding="same", return_sequences=True), (1, 7, 4, 2))
    yield Case("conv_lstm1d-float64", conv1(dtype="float64", padding="same", **SEQ_STATE), line, dtype="float64")
    yield Case("conv_lstm2d-float64", conv2(dtype="float64"), plane, dtype="float64")
    yield Case("conv_lstm3d", layer("ConvLSTM3D", filters=2, kernel_size=2, padding="same"), (1, 2, 3, 2, 3, 2))
    wide, init = (3, 7, 4, 2), [(3, 4, 2)] * 2
    same: Spec = {"padding": "same", **SEQ_STATE}
    yield Case("conv_lstm1d-init", conv1(**same), wide, states=init)
    for mask in ("whole", "middle"):
        yield Case(f"conv_lstm1d-mask-{mask}", conv1(**same), wide, mask)
    yield Case("conv_lstm1d-mask-zero", conv1(**same, zero_output_for_mask=True), wide, "end")
    spec = layer("Bidirectional", layer=conv1(**same))
    yield Case("bidirectional-conv_lstm1d", spec, line)


def sequential_cases() -> Iterator[Case]:
    def words(*more: Spec, mask_zero: bool = True, **kwargs: Any) -> Spec:
        kwargs = {"shape": [7], "dtype": "int32", **kwargs}
        return sequential(
            layer("Input", **kwargs), layer("Embedding", input_dim=6, output_dim=3, mask_zero=mask_zero), *more
        )

    def steps(*more: Spec, **kwargs: Any) -> Spec:
        return sequential(layer("Input", **{"shape": [7, WIDTH], **kwargs}), *more)

    dense, per_step = layer("Dense", units=2), layer("TimeDistributed", layer=layer("Dense", units=2))
    softmax = layer("Dense", units=3, activation="softmax")
    seq: Spec = {"return_sequences": True}
    ids: Any = {"ids": 6, "blank": "end"}
    for short in RECURRENT:
        yield Case(f"sequential-words-{short}", words(recurrent(short), dense), (3, 7), **ids)
        yield Case(f"sequential-words-{short}-whole", words(recurrent(short), dense), (3, 7), ids=6, blank="whole")
        yield Case(f"sequential-many-to-one-{short}", steps(recurrent(short), dense), (3, 7, WIDTH))
        yield Case(f"sequential-many-to-one-{short}-b1", steps(recurrent(short), dense), (1, 7, WIDTH))
    yield Case("sequential-words-no-mask", words(recurrent("lstm"), dense, mask_zero=False), (3, 7), **ids)
    yield Case(
        "sequential-words-float-input",
        words(recurrent("lstm"), dense, dtype="float32"),
        (3, 7),
        ids=6,
        ids_dtype="float32",
        blank="middle",
    )
    yield Case("sequential-words-any-length", words(recurrent("lstm"), dense, shape=[None]), (3, 7), **ids)
    yield Case("sequential-words-dropout", words(layer("Dropout", rate=0.5), recurrent("lstm"), dense), (3, 7), **ids)
    two_way = layer("Bidirectional", layer=recurrent("lstm"))
    yield Case("sequential-words-bidirectional", words(two_way, dense), (3, 7), **ids)
    stacked = [layer("Bidirectional", layer=recurrent("gru", **seq)), layer("Bidirectional", layer=recurrent("lstm"))]
    yield Case("sequential-words-bidirectional-twice", words(*stacked, dense), (3, 7), ids=6, blank="whole")
    yield Case("sequential-words-norm", words(layer("LayerNormalization"), recurrent("gru"), dense), (3, 7), **ids)
    # The mask is handed on as it came, although the outputs run from the last step to the first.
    turned = recurrent("lstm", **seq, go_backwards=True)
    yield Case("sequential-words-back-then-forth", words(turned, recurrent("gru")), (3, 7), ids=6, blank="whole")
    yield Case(
        "sequential-words-rnn-list",
        words(layer("RNN", cell=[layer("LSTMCell", units=2), layer("GRUCell", units=2)]), dense),
        (3, 7),
        **ids,
    )
    masked = [layer("Masking"), recurrent("gru", **seq), recurrent("gru", **seq), per_step]
    for blank in MASKS:
        yield Case(f"sequential-masking-gru-gru-{blank}", steps(*masked), (3, 7, WIDTH), blank=blank)
    yield Case(
        "sequential-masking-value",
        steps(layer("Masking", mask_value=9.0), recurrent("lstm"), dense),
        (3, 7, WIDTH),
        blank="middle",
        blank_value=9.0,
    )
    yield Case(
        "sequential-masking-dense-lstm", steps(layer("Masking"), dense, recurrent("lstm")), (3, 7, WIDTH), blank="whole"
    )
    yield Case(
        "sequential-masking-zero-output",
        steps(layer("Masking"), recurrent("lstm", **seq, zero_output_for_mask=True), dense),
        (3, 7, WIDTH),
        blank="end",
    )
    yield Case(
        "sequential-masking-time_distributed-lstm",
        steps(layer("Masking"), per_step, recurrent("lstm")),
        (3, 7, WIDTH),
        blank="whole",
    )
    for batch, length in itertools.product((1, 3), (1, 2, 7)):
        many = sequential(
            layer("Input", shape=[length, WIDTH]), recurrent("simple", **seq), layer("TimeDistributed", layer=softmax)
        )
        yield Case(f"sequential-many-to-many-b{batch}-t{length}", many, (batch, length, WIDTH))
        many = sequential(layer("Input", shape=[length, WIDTH]), recurrent("simple", **seq), softmax)
        yield Case(f"sequential-many-to-many-dense-b{batch}-t{length}", many, (batch, length, WIDTH))
    for length in (2, 7):
        spec = steps(recurrent("simple", **seq), layer("TimeDistributed", layer=softmax), shape=[None, WIDTH])
        yield Case(f"sequential-many-to-many-any-length-t{length}", spec, (3, length, WIDTH))
    yield Case("sequential-any-length-lstm", steps(recurrent("lstm"), dense, shape=[None, WIDTH]), (3, 7, WIDTH))
    cells = [layer("LSTMCell", units=2), layer("LSTMCell", units=3)]
    yield Case("sequential-rnn-lstms", steps(layer("RNN", cell=cells), dense), (3, 7, WIDTH))
    yield Case(
        "sequential-rnn-minimal", steps(layer("RNN", cell=layer("MinimalRNNCell", units=3)), dense), (3, 7, WIDTH)
    )
    yield Case(
        "sequential-named",
        steps(layer("LSTM", units=2, name="reader"), layer("Dense", units=2, name="head"), name="words"),
        (3, 7, WIDTH),
    )
    sixty_four = [
        recurrent("lstm", **seq, dtype="float64"),
        recurrent("gru", dtype="float64"),
        layer("Dense", units=2, dtype="float64"),
    ]
    yield Case("sequential-float64", steps(*sixty_four, dtype="float64"), (3, 7, WIDTH), dtype="float64")
    film = sequential(
        layer("Input", shape=[2, 4, 5, 1]),
        layer("ConvLSTM2D", filters=2, kernel_size=2, **seq),
        layer("ConvLSTM2D", filters=1, kernel_size=2),
    )
    yield Case("sequential-conv_lstm2d", film, (3, 2, 4, 5, 1))


def all_cases() -> Iterator[Case]:
    for group in (
        plain_cases,
        mask_cases,
        argument_cases,
        stateful_cases,
        cell_cases,
        bidirectional_cases,
        plain_layer_cases,
        convolution_cases,
        sequential_cases,
    ):
        yield from group()
