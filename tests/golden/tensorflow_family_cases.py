"""The cases of make_tensorflow_family.py: small programs of TensorFlow 1's recurrent cells and drivers, as data."""

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

Spec = dict[str, Any]  # one cell, as the manifest has it


def simple(cell: str, num_units: int = 3, **kwargs: Any) -> Spec:
    return {"cell": cell, "num_units": num_units, "kwargs": kwargs}


def wrapped(cell: str, of: Spec | list[Spec], **kwargs: Any) -> Spec:
    return {"cell": cell, "of": of, "kwargs": kwargs}


RNN, LSTM, GRU, FULL = (simple(name) for name in ("BasicRNNCell", "BasicLSTMCell", "GRUCell", "LSTMCell"))
STACK = wrapped("MultiRNNCell", [simple("LSTMCell", 3, use_peepholes=True, num_proj=2), simple("GRUCell", 2)])
FLAT = simple("LSTMCell", 3, state_is_tuple=False)


@dataclass(frozen=True)
class Call:
    """One call of a driver: on which of the case's cells, which of them get an initial state, and how."""

    driver: str
    cells: tuple[int, ...] = (0,)
    initial: tuple[bool, ...] = (False,)
    ragged: bool = False  # it is given the case's lengths
    kwargs: dict[str, Any] = field(default_factory=dict)
    program: str | None = None  # of raw_rnn


@dataclass(frozen=True)
class Case:
    """A program with one input ``(T, batch, features)``, or ``(chunks, T, batch, features)`` where the state is saved."""

    label: str
    cells: tuple[Spec, ...]
    calls: tuple[Call, ...]
    batch: int
    steps: int
    lengths: tuple[int, ...] | None = None
    dtype: str = "float32"
    input_size: int = 4
    chunks: int = 1

    @property
    def lengths_as(self) -> str:
        """How the lengths are given; any case could have any, so its label and sizes choose."""
        kinds = ("int32", "int64", "list")
        return kinds[zlib.crc32(f"{self.label} {self.batch} {self.steps} {self.lengths}".encode()) % len(kinds)]

    @property
    def id(self) -> str:
        parts = [self.label, f"b{self.batch}", f"t{self.steps}"]
        parts += ["len" + "".join(map(str, self.lengths)), self.lengths_as] if self.lengths else []
        initial = self.calls[0].initial
        if any(initial):
            parts.append("init" if all(initial) else "init" + "".join(str(int(flag)) for flag in initial))
        parts += [self.dtype] if self.dtype != "float32" else []
        return "-".join(parts)


LSTM_OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "peep": {"use_peepholes": True},
    "clip": {"cell_clip": 0.1},
    "proj": {"num_proj": 2},
    "proj-projclip": {"num_proj": 2, "proj_clip": 0.02},
    "clip-proj": {"cell_clip": 0.1, "num_proj": 4},
    "peep-clip": {"use_peepholes": True, "cell_clip": 0.1},
    "peep-proj": {"use_peepholes": True, "num_proj": 2},
    "peep-clip-proj-projclip": {"use_peepholes": True, "cell_clip": 0.1, "num_proj": 2, "proj_clip": 0.02},
    "forget": {"forget_bias": 0.0, "use_peepholes": True},
    "clip-relu": {"activation": "relu", "cell_clip": 0.1, "forget_bias": 0.5},
    "flat": {"state_is_tuple": False},
    "flat-peep-proj": {"state_is_tuple": False, "use_peepholes": True, "num_proj": 2},
}
#: (batch, T, lengths, initial state)
LENGTHS: list[tuple[int, int, tuple[int, ...], bool]] = [
    (3, 7, (3, 0, 7), False),
    (3, 7, (6, 1, 0), True),
    (3, 1, (0, 1, 1), True),
    (3, 2, (2, 0, 1), False),
    (1, 7, (4,), True),
    (1, 7, (0,), False),
    (1, 2, (2,), True),
    (3, 7, (0, 0, 0), True),
    (3, 7, (7, 7, 7), False),
]


def lstm_cases() -> Iterator[Case]:
    """LSTMCell with every option that acts on numbers, and crosses of them."""
    some = ((1, 1, False), (3, 2, True), (3, 7, False), (1, 7, True))
    for name, options in LSTM_OPTIONS.items():
        full = name in ("plain", "peep-clip-proj-projclip")
        for batch, steps, given in itertools.product((1, 3), (1, 2, 7), (False, True)) if full else some:
            call = Call("static_rnn", initial=(given,))
            yield Case(f"lstm-{name}-static", (simple("LSTMCell", **options),), (call,), batch, steps)
        case = Case(
            f"lstm-{name}-static", (simple("LSTMCell", **options),), (Call("static_rnn", initial=(True,)),), 3, 7
        )
        yield replace(case, dtype="float64")
        for driver in ("static_rnn", "dynamic_rnn"):
            call = Call(driver, initial=(driver == "static_rnn",), ragged=True)
            label = f"lstm-{name}-{driver.removesuffix('_rnn')}"
            yield replace(case, label=label, calls=(call,), lengths=(5, 0, 7))


def length_cases() -> Iterator[Case]:
    """Every kind of cell under both drivers, with sequence lengths."""
    for (name, spec), driver in itertools.product(
        (("basicrnn", RNN), ("basiclstm", LSTM), ("gru", GRU), ("stack", STACK)), ("static_rnn", "dynamic_rnn")
    ):
        label = f"{name}-{driver.removesuffix('_rnn')}"
        for batch, steps, lengths, given in LENGTHS if spec is LSTM else LENGTHS[:5]:
            call = Call(driver, initial=(given,), ragged=True)
            yield Case(label, (spec,), (call,), batch, steps, lengths)
        kwargs = {"time_major": True} if driver == "dynamic_rnn" else {"scope": "mine"}
        call = Call(driver, initial=(True,), ragged=True, kwargs=kwargs)
        yield Case(f"{label}-{next(iter(kwargs))}", (spec,), (call,), 3, 7, (4, 7, 0), "float64")


def wrapper_cases() -> Iterator[Case]:
    """Wrappers, alone and inside one another."""
    residual, dropout, device = "ResidualWrapper", "DropoutWrapper", "DeviceWrapper"
    four = simple("LSTMCell", 4)
    half = {"input_keep_prob": 0.5, "output_keep_prob": 0.75, "state_keep_prob": 0.9}
    ones = {"input_keep_prob": 1.0, "output_keep_prob": 1.0, "state_keep_prob": 1.0, "variational_recurrent": False}
    specs = {
        "residual": wrapped(residual, four),
        "residual-halved": wrapped(residual, simple("GRUCell", 4), residual_fn="halved"),
        "residual-narrowed": wrapped(residual, LSTM, residual_fn="narrowed"),
        "dropout-none": wrapped(dropout, LSTM),
        "dropout-ones": wrapped(dropout, GRU, **ones),
        "dropout-inference": wrapped(dropout, FULL, **half),
        "device": wrapped(device, RNN, device="/cpu:0"),
        "residual-of-dropout": wrapped(residual, wrapped(dropout, four, **half)),
        "dropout-of-residual": wrapped(dropout, wrapped(residual, simple("GRUCell", 4)), **ones),
        "device-of-residual-of-dropout": wrapped(
            device, wrapped(residual, wrapped(dropout, simple("BasicRNNCell", 4))), device="/cpu:0"
        ),
        "stack-of-wrapped": wrapped(
            "MultiRNNCell",
            [
                wrapped(dropout, FULL, **half),
                wrapped(residual, simple("BasicLSTMCell", 3)),
                wrapped(device, simple("GRUCell", 2), device="/cpu:0"),
            ],
        ),
        "residual-of-stack": wrapped(residual, wrapped("MultiRNNCell", [GRU, four])),
        "flat-stack": wrapped("MultiRNNCell", [FLAT, wrapped(residual, GRU)], state_is_tuple=False),
    }
    for name, spec in specs.items():
        case = Case(f"{name}-static", (spec,), (Call("static_rnn"),), 3, 7)
        yield case
        yield replace(case, calls=(Call("static_rnn", initial=(True,)),), batch=1, steps=2, dtype="float64")
        call = Call("dynamic_rnn", initial=(True,), ragged=True)
        yield replace(case, label=f"{name}-dynamic", calls=(call,), lengths=(7, 0, 2))
    for name in ("residual", "stack-of-wrapped"):
        yield Case(f"{name}-called", (specs[name],), (Call("call", initial=(True,)),), 3, 2)


def bidirectional_cases() -> Iterator[Case]:
    """Both bidirectional drivers, on cells alike and unlike, and stacks of them."""
    pairs: dict[str, tuple[Spec, ...]] = {
        "lstm-lstm": (FULL, FULL),
        "gru2-peephole3": (simple("GRUCell", 2), simple("LSTMCell", 3, use_peepholes=True)),
        "rnn2-basiclstm4": (simple("BasicRNNCell", 2), simple("BasicLSTMCell", 4)),
        "stack-residual": (STACK, wrapped("ResidualWrapper", simple("GRUCell", 4))),
        "one-cell": (GRU,),  # under both directions
    }
    runs: list[tuple[int, int, tuple[int, ...] | None, tuple[bool, bool], str]] = [
        (3, 7, None, (False, False), "float32"),
        (3, 7, (3, 7, 0), (True, True), "float32"),
        (3, 2, (0, 1, 2), (True, False), "float32"),
        (1, 7, (5,), (False, False), "float32"),
        (1, 1, None, (False, True), "float32"),
        (3, 7, (1, 6, 4), (True, True), "float64"),
    ]
    for (name, cells), (number, run) in itertools.product(pairs.items(), enumerate(runs)):
        batch, steps, lengths, initial, dtype = run
        places = (0, len(cells) - 1)
        call = Call("static_bidirectional_rnn", places, initial, lengths is not None)
        case = Case(f"static-bi-{name}", cells, (call,), batch, steps, lengths, dtype)
        yield case
        call = replace(call, driver="bidirectional_dynamic_rnn")
        yield replace(case, label=f"dynamic-bi-{name}", calls=(call,))
        if number in (1, 4):
            call = replace(call, kwargs={"time_major": True, "scope": "both"})
            yield replace(case, label=f"dynamic-bi-major-{name}", calls=(call,))

    deep = (simple("LSTMCell", 3), simple("GRUCell", 2), simple("BasicRNNCell", 2), simple("LSTMCell", 4))
    shallow = (simple("GRUCell", 3), simple("LSTMCell", 2))
    stack_runs: list[tuple[int, int, tuple[int, ...] | None, bool, str]] = [
        (3, 7, None, False, "float32"),
        (3, 7, (7, 0, 3), True, "float64"),
        (3, 2, (2, 1, 0), False, "float32"),
        (1, 7, (4,), True, "float32"),
        (1, 1, None, True, "float32"),
    ]
    for layers, (batch, steps, lengths, given, dtype) in itertools.product((deep, shallow), stack_runs):
        count = len(layers)
        call = Call("stack_bidirectional_rnn", tuple(range(count)), (given,) * count, lengths is not None)
        yield Case(f"stack-bi-{count // 2}", layers, (call,), batch, steps, lengths, dtype)


def saving_cases() -> Iterator[Case]:
    """State savers, over two chunks."""
    runs: list[tuple[int, int, tuple[int, ...] | None]] = [(3, 7, None), (3, 2, (1, 0, 2)), (1, 1, None)]
    cells = {"lstm": FULL, "gru": GRU, "flat": FLAT, "stack": STACK}
    for (name, spec), (batch, steps, lengths) in itertools.product(cells.items(), runs):
        call = Call("static_state_saving_rnn", (0,), (True,), lengths is not None)
        yield Case(f"saved-{name}", (spec,), (call,), batch, steps, lengths, chunks=2)


def raw_cases() -> Iterator[Case]:
    """The programs of raw_rnn."""
    fed_back = {"lstm": simple("LSTMCell", 4), "gru": simple("GRUCell", 4)}
    programs: dict[str, dict[str, Spec]] = {
        "read": {"lstm": FULL, "gru": GRU, "stack": STACK},
        "emit_pair": {"lstm": FULL, "gru": GRU},
        "feedback": fed_back,
        "sums": {"lstm": FULL, "gru": GRU},
        "kept_loop_state": {"gru": GRU},
        "said_once": {"lstm": FULL, "gru": GRU},
        "until_positive": fed_back,
    }
    runs: list[tuple[int, int, tuple[int, ...], bool]] = [
        (3, 7, (3, 0, 7), False),
        (3, 7, (2, 4, 1), True),
        (1, 2, (2,), True),
        (1, 1, (0,), True),
    ]
    for program, cells in programs.items():
        for (name, spec), (batch, steps, lengths, given) in itertools.product(cells.items(), runs):
            call = Call("raw_rnn", (0,), (given,), True, program=program)
            yield Case(f"raw-{program}-{name}", (spec,), (call,), batch, steps, lengths)
    call = Call("raw_rnn", ragged=True, program="emit_pair", kwargs={"scope": "mine"})
    yield Case("raw-scope-lstm", (FULL,), (call,), 3, 7, (7, 2, 5), "float64")


def shared_cases() -> Iterator[Case]:
    """One cell under several drivers: its variables are those of its first call."""
    for name, spec in (("lstm", simple("LSTMCell", 4)), ("gru", simple("GRUCell", 4)), ("stack", STACK)):
        calls: tuple[Call, ...] = (
            Call("static_rnn", kwargs={"scope": "first"}),
            Call("dynamic_rnn", initial=(True,), ragged=True, kwargs={"scope": "second"}),
            Call("static_bidirectional_rnn", (0, 0), (False, True), ragged=True),
            Call("raw_rnn", ragged=True, kwargs={"scope": "third"}, program="read"),
        )
        yield Case(f"one-cell-four-drivers-{name}", (spec,), calls, 3, 7, (4, 0, 7))
    calls = (Call("dynamic_rnn", ragged=True), Call("call", initial=(True,)), Call("static_rnn", initial=(True,)))
    yield Case("one-cell-three-drivers", (FULL,), calls, 1, 2, (1,), "float64")


def all_cases() -> Iterator[Case]:
    yield from lstm_cases()
    yield from length_cases()
    yield from wrapper_cases()
    yield from bidirectional_cases()
    yield from saving_cases()
    yield from raw_cases()
    yield from shared_cases()
