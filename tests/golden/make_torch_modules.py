"""Write torch_modules.npz and torch_modules.json: numbers of real PyTorch recurrent modules.

Run it with no arguments, in an environment that has PyTorch and NumPy::

    pip install torch numpy
    python make_torch_modules.py

The two files are written beside this script. For each case the script builds the module, puts seeded random numbers in
its parameters, runs it over seeded random inputs, and keeps everything that went in and came out. README.md, beside
this script, describes the files.
"""

import itertools
import json
import platform
import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SEED = 20240307
WEIGHT_STD = 0.5
HERE = Path(__file__).resolve().parent

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One run of a module over a sequence, or of a cell (`steps` is None then) over one step."""

    module: str
    sizes: tuple[int, int]
    kwargs: dict[str, Any]
    batch: int | None  #: None: without a batch axis
    steps: int | None
    initial_state: bool
    dtype: str = "float32"
    lengths: tuple[int, ...] | None = field(default=None)

    @property
    def id(self) -> str:
        parts = [self.module.lower()]
        parts += [f"{name}={value}" for name, value in sorted(self.kwargs.items())]
        parts += [] if self.sizes == (3, 4) else ["x".join(map(str, self.sizes))]
        parts += ["unbatched" if self.batch is None else f"b{self.batch}"]
        parts += [] if self.steps is None else [f"t{self.steps}"]
        parts += [] if self.lengths is None else ["lengths=" + ",".join(map(str, self.lengths))]
        parts += ["init"] if self.initial_state else []
        parts += [self.dtype] if self.dtype != "float32" else []
        return "-".join(parts)

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """The shapes of h, and of c for an LSTM."""
        hidden = self.sizes[1]
        widths = [self.kwargs.get("proj_size") or hidden] + ([hidden] if self.module.startswith("LSTM") else [])
        rows = () if self.batch is None else (self.batch,)
        if self.steps is not None:
            rows = (self.kwargs.get("num_layers", 1) * (1 + self.kwargs.get("bidirectional", False)), *rows)
        return [(*rows, width) for width in widths]

    @property
    def input_shape(self) -> tuple[int, ...]:
        rows = [size for size in (self.steps, self.batch) if size is not None]
        if self.kwargs.get("batch_first"):
            rows.reverse()
        return (*rows, self.sizes[0])


KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 2}),
    ("GRU", {}),
)


def options(layers: int, bidirectional: bool, bias: bool, batch_first: bool) -> dict[str, Any]:
    """The arguments that are not PyTorch's defaults."""
    chosen: dict[str, Any] = {"num_layers": layers} if layers > 1 else {}
    chosen |= {"bidirectional": True} if bidirectional else {}
    chosen |= {} if bias else {"bias": False}
    return chosen | ({"batch_first": True} if batch_first else {})


def all_cases() -> Iterator[Case]:
    """Modules over whole sequences, over sequences with lengths, edges, and cells."""
    both = (False, True)
    for (module, kwargs), layers, bidirectional, steps, given in itertools.product(
        KINDS, (1, 2), both, (1, 2, 7), both
    ):
        # What is left to cross is drawn, by a generator that knows only this combination.
        drawn = np.random.default_rng(zlib.crc32(repr((module, kwargs, layers, bidirectional, steps, given)).encode()))
        batch = (1, 3, 3, None)[drawn.integers(4)]
        chosen = options(layers, bidirectional, bool(drawn.integers(4)), bool(drawn.integers(2)))
        dtype = ("float32", "float32", "float64")[drawn.integers(3)]
        yield Case(module, (3, 4), kwargs | chosen, batch, steps, given, dtype)

    for (module, kwargs), layers, bidirectional, given in itertools.product(KINDS, (1, 2), both, both):
        drawn = np.random.default_rng(zlib.crc32(repr((module, kwargs, layers, bidirectional, given)).encode()))
        chosen = options(layers, bidirectional, bool(drawn.integers(4)), bool(drawn.integers(2)))
        steps, lengths = [(7, (3, 7, 1)), (7, (2, 5, 4)), (2, (1, 2, 1)), (7, (4,))][drawn.integers(4)]
        dtype = ("float32", "float32", "float64")[drawn.integers(3)]
        yield Case(module, (3, 4), kwargs | chosen, len(lengths), steps, given, dtype, lengths)

    for module, dtype in itertools.product(("RNN", "LSTM", "GRU"), ("float32", "float64")):
        yield Case(module, (1, 1), {"num_layers": 3}, 3, 2, True, dtype)
        yield Case(module, (5, 2), {"dropout": 0.5, "num_layers": 2}, 3, 2, False, dtype)
    yield Case("LSTM", (2, 3), {"proj_size": 1, "num_layers": 2, "bidirectional": True, "bias": False}, 3, 2, True)
    yield Case("LSTM", (2, 3), {"proj_size": 1}, 3, 7, True, "float64", (7, 2, 6))

    cells: tuple[tuple[str, dict[str, Any]], ...] = (
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu"}),
        ("LSTMCell", {}),
        ("GRUCell", {}),
    )
    for (module, kwargs), batch, given, bias in itertools.product(cells, (1, 3, None), both, both):
        yield Case(module, (3, 4), kwargs | ({} if bias else {"bias": False}), batch, None, given)
    for (module, kwargs), batch in itertools.product(cells, (3, None)):
        yield Case(module, (3, 4), kwargs, batch, None, True, "float64")


def call(case: Case, module: Any, x: Any, state: Any) -> tuple[Any, list[Any]]:
    """Run the module; give its output (a cell's h) and the parts of its last state."""
    if case.steps is None:
        result = module(x, state)
        parts = list(result) if isinstance(result, tuple) else [result]
        return parts[0], parts
    batch_first = case.kwargs.get("batch_first", False)
    if case.lengths is None:
        output, last = module(x, state)
    else:
        packed = pack_padded_sequence(x, torch.tensor(case.lengths), batch_first, enforce_sorted=False)
        output, last = module(packed, state)
        output, _ = pad_packed_sequence(output, batch_first, total_length=case.steps)
    return output, list(last) if isinstance(last, tuple) else [last]


def put(arrays: dict[str, Array], key: str, value: Array, dtype: str) -> str:
    """Keep an array that is as it should be, and give its key."""
    if value.dtype != np.dtype(dtype) or not np.isfinite(value).all():
        raise AssertionError(f"{key}: {value.dtype}, {value}")
    arrays[key] = value
    return key


def run(case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their keys."""
    # Seeded by its id, so that adding a case leaves the others as they were.
    rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])

    def draw(shape: tuple[int, ...], std: float = 1.0) -> Array:
        return (std * rng.standard_normal(shape)).astype(case.dtype)

    module = getattr(torch.nn, case.module)(*case.sizes, **case.kwargs, dtype=getattr(torch, case.dtype)).eval()
    weights = {name: draw(tuple(old.shape), WEIGHT_STD) for name, old in module.state_dict().items()}
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    x = draw(case.input_shape)
    state0 = [draw(shape) for shape in case.state_shapes] if case.initial_state else []
    parts = [torch.from_numpy(part) for part in state0]
    with torch.no_grad():
        output, last = call(case, module, torch.from_numpy(x), tuple(parts) if len(parts) > 1 else (parts or [None])[0])

    arrays: dict[str, Array] = {}

    def keep(name: str, value: Array) -> str:
        return put(arrays, f"{case.id}/{name}", value, case.dtype)

    entry = {
        "id": case.id,
        "module": case.module,
        "input_size": case.sizes[0],
        "hidden_size": case.sizes[1],
        "kwargs": case.kwargs,
        "batch": case.batch,
        "T": case.steps,
        "lengths": case.lengths,
        "dtype": case.dtype,
        "state_dict": [
            {"name": name, "shape": list(value.shape), "key": keep(f"state_dict/{name}", value)}
            for name, value in weights.items()
        ],
        "arrays": {
            "input": keep("input", x),
            "state0": [keep(f"state0/{i}", value) for i, value in enumerate(state0)],
            "output": keep("output", output.numpy()),
            "state": [keep(f"state/{i}", value.numpy()) for i, value in enumerate(last)],
        },
    }
    return entry, arrays


#: Modules that are no recurrence: (module, positional arguments, keywords, shape of the input, dtype of it).
FEEDFORWARD: tuple[tuple[str, tuple[int, int], dict[str, Any], tuple[int, ...], str], ...] = (
    *(("Linear", (3, 4), {}, shape, "float32") for shape in ((3,), (1, 3), (2, 3), (7, 2, 3))),
    *(("Linear", (3, 4), {"bias": False}, shape, "float64") for shape in ((3,), (2, 3), (7, 2, 3))),
    *(("Embedding", (5, 3), {}, shape, kind) for shape in ((), (4,), (7, 2)) for kind in ("int32", "int64")),
    ("Embedding", (5, 3), {"padding_idx": -2}, (6,), "int64"),
)


def run_feedforward(
    name: str, arguments: tuple[int, int], kwargs: dict[str, Any], shape: tuple[int, ...], kind: str
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run a module that is no recurrence; give its entry in the manifest and its arrays by their keys."""
    parts = [
        name.lower(),
        *(f"{key}={value}" for key, value in kwargs.items()),
        "x".join(map(str, shape)) or "one",
        kind,
    ]
    case_id = "-".join(parts)
    rng = np.random.default_rng([SEED, zlib.crc32(case_id.encode())])
    dtype = kind if kind.startswith("float") else "float32"
    module = getattr(torch.nn, name)(*arguments, **kwargs, dtype=getattr(torch, dtype)).eval()
    weights = {key: rng.standard_normal(tuple(old.shape)).astype(dtype) for key, old in module.state_dict().items()}
    module.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    x = (
        rng.standard_normal(shape).astype(kind)
        if kind == dtype
        else np.asarray(rng.integers(0, arguments[0], shape), kind)
    )
    with torch.no_grad():
        output = module(torch.from_numpy(x))
    arrays: dict[str, Array] = {}
    entry = {
        "id": case_id,
        "module": name,
        "arguments": list(arguments),
        "kwargs": kwargs,
        "dtype": dtype,
        "state_dict": [
            {"name": key, "shape": list(value.shape), "key": put(arrays, f"{case_id}/state_dict/{key}", value, dtype)}
            for key, value in weights.items()
        ],
        "arrays": {
            "input": put(arrays, f"{case_id}/input", x, kind),
            "output": put(arrays, f"{case_id}/output", output.numpy(), dtype),
        },
    }
    return entry, arrays


#: Constructor calls that PyTorch refuses: (module, positional arguments, keywords).
REFUSED: tuple[tuple[str, list[Any], dict[str, Any]], ...] = (
    *((module, [3, 0], {}) for module in ("RNN", "LSTM", "GRU")),
    *((module, [3, 4, 0], {}) for module in ("RNN", "LSTM", "GRU")),
    *((module, [3, 4.0], {}) for module in ("RNN", "LSTM", "GRU")),
    *((module, [3, 4], {"proj_size": 2}) for module in ("RNN", "GRU")),
    *((module, [3, 4], {"dropout": 1.5}) for module in ("RNN", "LSTM", "GRU")),
    *((module, [3, 4], {"dropout": True}) for module in ("RNN", "LSTM", "GRU")),
    ("LSTM", [3, 4], {"proj_size": 4}),
    ("LSTM", [3, 4], {"proj_size": -1}),
    ("RNN", [3, 4], {"nonlinearity": "sigmoid"}),
    ("LSTM", [3, 4], {"nonlinearity": "relu"}),
    ("GRUCell", [3, 4], {"nonlinearity": "relu"}),
    ("LSTMCell", [3, 4], {"proj_size": 2}),
)


def refusal(module: str, arguments: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The error of a constructor call that PyTorch refuses."""
    try:
        getattr(torch.nn, module)(*arguments, **kwargs)
    except (TypeError, ValueError) as error:
        return {"module": module, "arguments": arguments, "kwargs": kwargs, "error": type(error).__name__}
    raise AssertionError(f"{module}{arguments}{kwargs} is not refused")


def loading(name: str, keys: list[str], shapes: dict[str, list[int]]) -> dict[str, Any]:
    """What ``LSTM(3, 4).load_state_dict`` says of a mapping with these keys, strict and not."""
    module = torch.nn.LSTM(3, 4)
    own = {key: list(value.shape) for key, value in module.state_dict().items()}
    given = {key: torch.zeros(shapes.get(key) or own.get(key) or [1]) for key in keys}
    said: dict[str, Any] = {"name": name, "keys": keys, "shapes": shapes}
    for strict in (True, False):
        try:
            found = module.load_state_dict(given, strict=strict)
        except RuntimeError as error:
            named = re.findall(r'"(\w+)"|size mismatch for (\w+):', str(error))
            said[f"strict={strict}"] = {"error": type(error).__name__, "names": ["".join(pair) for pair in named]}
        else:
            said[f"strict={strict}"] = {"missing": found.missing_keys, "unexpected": found.unexpected_keys}
    return said


def all_loadings() -> list[dict[str, Any]]:
    own = list(torch.nn.LSTM(3, 4).state_dict())
    return [
        loading("all", own, {}),
        loading("reversed", own[::-1], {}),
        loading("missing", own[1:-1], {}),
        loading("unexpected", [*own, "weight_hr_l0", "scale"], {}),
        loading("both", [*own[:2], "scale"], {}),
        loading("shape", own, {own[0]: [3, 16]}),
        loading("shape and missing", own[:-1], {own[0]: [3, 16]}),
    ]


def main() -> None:
    warnings.filterwarnings("ignore", message="LSTM with projections")  # which kernel is used, nothing of the numbers
    torch.set_num_threads(1)
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    feedforward: list[dict[str, Any]] = []
    runs = [(entries, run(case)) for case in all_cases()]
    runs += [(feedforward, run_feedforward(*item)) for item in FEEDFORWARD]
    for listed, (entry, values) in runs:
        if arrays.keys() & values.keys():
            raise AssertionError(f"two cases are called {entry['id']}")
        listed.append(entry)
        arrays.update(values)
    header = {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "weight_std": WEIGHT_STD,
    }
    parts = {
        "cases": entries,
        "feedforward": feedforward,
        "refused": [refusal(*call) for call in REFUSED],
        "load_state_dict": all_loadings(),
    }
    text = json.dumps(header, indent=2).removesuffix("\n}")
    for name, items in parts.items():  # one item a line
        text += f',\n  "{name}": [\n' + ",\n".join(f"    {json.dumps(item)}" for item in items) + "\n  ]"
    text += "\n}\n"
    json.loads(text)
    (HERE / "torch_modules.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "torch_modules.npz", **arrays)
    print(f"{len(runs)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main()
