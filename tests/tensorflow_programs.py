"""TensorFlow 1's golden programs, built with unroll: each case's cells, drivers, inputs and numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from any_length import AnyLength
from helpers import Array, golden_arrays, golden_json

import unroll
from unroll import nest, ops

CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in golden_json("tensorflow_family.json")["cases"]}

RESIDUALS: dict[str, Callable[[Any, Any], Any]] = {
    "halved": lambda inputs, outputs: inputs * 0.5 + outputs,
    "narrowed": lambda inputs, outputs: inputs[:, :3] + outputs,
}


def arrays_of(case: dict[str, Any]) -> dict[str, Array]:
    """A case's arrays by name; the file holds them end to end."""
    flat = golden_arrays("tensorflow_family.npz")[case["id"]]
    assert flat.dtype == case["dtype"]
    ends = np.cumsum([int(np.prod(shape)) for _, shape in case["arrays"]])
    parts = np.split(flat, ends)
    assert parts.pop().size == 0
    return {name: part.reshape(shape) for (name, shape), part in zip(case["arrays"], parts, strict=True)}


def under(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


# -- the user's programs ----------------------------------------------------------------------------------------------


def build_cell(spec: dict[str, Any]) -> Any:
    kwargs = dict(spec["kwargs"])
    if "residual_fn" in kwargs:
        kwargs["residual_fn"] = RESIDUALS[kwargs["residual_fn"]]
    make = getattr(unroll.cells, spec["cell"])
    if "of" not in spec:
        return make(spec["num_units"], **kwargs)
    of = spec["of"]
    return make([build_cell(part) for part in of] if isinstance(of, list) else build_cell(of), **kwargs)


class Given:
    """What a call is given; placeholders are made here, and what they are fed is kept.

    Args:
        case: the case.
        call: the call.
        number: which of the case's calls it is.
        cells: those of the case.
        time: how many steps a tensor has; those of the case by default.
    """

    def __init__(
        self, case: dict[str, Any], call: dict[str, Any], number: int, cells: list[Any], time: int | str | None = None
    ) -> None:
        arrays = arrays_of(case)
        self.time = case["T"] if time is None else time
        self.case, self.call, self.prefix = case, call, f"call{number}/" if number else ""
        self.cells = [cells[place] for place in call["cells"]]
        self.inputs = arrays["inputs"] if case["chunks"] == 1 else arrays["inputs"][0]
        self.kwargs: dict[str, Any] = call["kwargs"]
        self.batch = case["batch"] if call["lengths"] == "list" else None  # a list of lengths is one of a known batch
        self.feeds: dict[Any, Array] = {}
        self.saver: Any = None
        self.saved = under("state0/0/0/", arrays)  # what a saver begins with
        self.lengths: Any = None
        if call["lengths"] == "list":
            self.lengths = case["lengths"]
        elif call["lengths"]:
            self.lengths = self.fed("lengths", np.array(case["lengths"], call["lengths"]), [None])
        self.states = []
        for place, cell in enumerate(self.cells):
            made = [
                self.fed(f"state{place}_{part}", array, [self.batch, array.shape[1]])
                for part, array in under(f"state0/{number}/{place}/", arrays).items()
                if call["driver"] != "static_state_saving_rnn"
            ]
            self.states.append(nest.pack(cell.state_size, made) if made else None)

    def fed(self, name: str, array: Array, shape: list[Any]) -> Any:
        tensor = unroll.placeholder(shape, self.prefix + name, array.dtype)
        self.feeds[tensor] = array
        return tensor

    def listed(self) -> list[Any]:
        """One placeholder a step."""
        return [self.fed(f"X{step}", array, [self.batch, array.shape[1]]) for step, array in enumerate(self.inputs)]

    def whole(self) -> Any:
        """One placeholder, with the time where the driver wants it."""
        features = self.inputs.shape[-1]
        if self.kwargs.get("time_major"):
            return self.fed("X", self.inputs, [self.time, self.batch or "batch", features])
        return self.fed("X", self.inputs.transpose(1, 0, 2), [self.batch, self.time, features])

    @property
    def lengths_kwargs(self) -> dict[str, Any]:
        return {} if self.lengths is None else {"sequence_length": self.lengths}

    @property
    def both(self) -> dict[str, Any]:
        names = ("initial_state_fw", "initial_state_bw")
        states = {name: state for name, state in zip(names, self.states, strict=True) if state is not None}
        return {**states, **self.lengths_kwargs, **self.kwargs}

    def zero_state(self, first: Any) -> Any:
        """The initial state, given or of zeros."""
        if self.states[0] is not None:
            return self.states[0]
        return self.cells[0].zero_state(self.batch or ops.shape(first)[0], self.case["dtype"])


def call_static(given: Given) -> Any:
    outputs, state = unroll.static_rnn(
        given.cells[0], given.listed(), initial_state=given.states[0], **given.lengths_kwargs, **given.kwargs
    )
    return ops.stack(outputs), state


def call_dynamic(given: Given) -> Any:
    return unroll.dynamic_rnn(
        given.cells[0], given.whole(), initial_state=given.states[0], **given.lengths_kwargs, **given.kwargs
    )


def call_cell(given: Given) -> Any:
    state, outputs = given.states[0], []
    for step in given.listed():
        output, state = given.cells[0](step, state)
        outputs.append(output)
    return ops.stack(outputs), state


def call_static_bidirectional(given: Given) -> Any:
    cell_fw, cell_bw = given.cells
    outputs, state_fw, state_bw = unroll.static_bidirectional_rnn(cell_fw, cell_bw, given.listed(), **given.both)
    return ops.stack(outputs), state_fw, state_bw


def call_dynamic_bidirectional(given: Given) -> Any:
    cell_fw, cell_bw = given.cells
    (out_fw, out_bw), (state_fw, state_bw) = unroll.bidirectional_dynamic_rnn(
        cell_fw, cell_bw, given.whole(), **given.both
    )
    return out_fw, out_bw, state_fw, state_bw


def call_stack(given: Given) -> Any:
    half = len(given.cells) // 2
    states: dict[str, Any] = {}
    if given.states[0] is not None:
        states = {"initial_states_fw": given.states[:half], "initial_states_bw": given.states[half:]}
    outputs, states_fw, states_bw = unroll.stack_bidirectional_rnn(
        given.cells[:half], given.cells[half:], given.listed(), **states, **given.lengths_kwargs, **given.kwargs
    )
    return ops.stack(outputs), states_fw, states_bw


def call_saving(given: Given) -> Any:
    cell = given.cells[0]
    names = [f"state{place}" for place in given.saved]
    sizes = dict(zip(names, nest.flatten(cell.state_size), strict=True))
    given.saver = unroll.StateSaver(sizes, batch_size=given.batch, dtype=given.case["dtype"])
    outputs, state = unroll.static_state_saving_rnn(
        cell, given.listed(), given.saver, nest.pack(cell.state_size, names), sequence_length=given.lengths
    )
    given.feeds |= {given.saver.state(name): array for name, array in zip(names, given.saved.values(), strict=True)}
    return ops.stack(outputs), state


def call_raw(given: Given) -> Any:
    cell, program, steps, dtype = given.cells[0], given.call["program"], given.listed(), given.case["dtype"]
    lengths = unroll.constant(given.lengths) if isinstance(given.lengths, list) else given.lengths
    first_state = given.zero_state(steps[0])

    def loop_fn(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        start = output is None
        finished = lengths <= time
        following = steps[min(time, len(steps) - 1)]
        emit, next_loop_state = output, None
        if program == "emit_pair":
            none = (unroll.constant(np.zeros(cell.output_size, dtype)), unroll.constant(np.zeros((), dtype)))
            emit = none if start else (output * 2, ops.reduce_sum(output, [1]))
        elif program == "feedback":
            following = steps[0] if start else output
        elif program == "sums":
            zeros = (unroll.constant(np.zeros((), dtype)), steps[0][:, : cell.output_size] * 0)
            next_loop_state = zeros if start else (loop_state[0] + 1, loop_state[1] + output)
        elif program == "kept_loop_state":
            next_loop_state = steps[0] if start else None
        elif program == "said_once":
            finished = ops.equal(lengths, time)
        elif program == "until_positive":
            following = steps[0] if start else output
            finished = lengths < 0 if start else ops.reduce_sum(output, [1]) > 0
        return finished, following, first_state if start else state, emit, next_loop_state

    emits, state, loop_state = unroll.raw_rnn(cell, loop_fn, maximum_iterations=len(steps), **given.kwargs)
    emitted = nest.map_leaves(lambda *parts: ops.stack(parts), *emits)
    return emitted, state, () if loop_state is None else loop_state


DRIVERS: dict[str, Callable[[Given], Any]] = {
    "static_rnn": call_static,
    "dynamic_rnn": call_dynamic,
    "call": call_cell,
    "static_bidirectional_rnn": call_static_bidirectional,
    "bidirectional_dynamic_rnn": call_dynamic_bidirectional,
    "stack_bidirectional_rnn": call_stack,
    "static_state_saving_rnn": call_saving,
    "raw_rnn": call_raw,
}


def over_time(call: dict[str, Any]) -> dict[str, Any] | None:
    """A call of a driver over a list as that of its counterpart over one tensor, time first; None where it has none."""
    if call["driver"] in ANY_TIME:
        return call
    instead = COUNTERPARTS.get(call["driver"])
    return None if instead is None else {**call, "driver": instead, "kwargs": {**call["kwargs"], "time_major": True}}


def call_dynamic_stack(given: Given) -> Any:
    half = len(given.cells) // 2
    states: dict[str, Any] = {}
    if given.states[0] is not None:
        states = {"initial_states_fw": given.states[:half], "initial_states_bw": given.states[half:]}
    return unroll.stack_bidirectional_dynamic_rnn(
        given.cells[:half], given.cells[half:], given.whole(), **states, **given.lengths_kwargs, **given.kwargs
    )


def call_both_joined(given: Given) -> Any:
    out_fw, out_bw, *states = call_dynamic_bidirectional(given)
    return ops.concat([out_fw, out_bw], axis=-1), *states


#: Drivers over one tensor, and those that stand for drivers over a list.
ANY_TIME: dict[str, Callable[[Given], Any]] = {
    "dynamic_rnn": call_dynamic,
    "bidirectional_dynamic_rnn": call_dynamic_bidirectional,
    "both_joined": call_both_joined,
    "stack_bidirectional_dynamic_rnn": call_dynamic_stack,
}
COUNTERPARTS = {
    "static_rnn": "dynamic_rnn",
    "static_bidirectional_rnn": "both_joined",
    "stack_bidirectional_rnn": "stack_bidirectional_dynamic_rnn",
}


def any_length(name: str) -> AnyLength | None:
    """A case with its time left open; None where it has no sequence of one tensor."""
    case = CASES[name]
    calls = [(number, over_time(call)) for number, call in enumerate(case["calls"])]
    timed = [(number, call) for number, call in calls if call is not None]
    if not timed or case["chunks"] > 1:
        return None
    arrays = arrays_of(case)
    fed: dict[str, Array] = {}
    axes: dict[str, int] = {}

    def make(time: int | str) -> unroll.Graph:
        cells = [build_cell(spec) for spec in case["cells"]]
        outputs: list[Any] = []
        inputs: list[Any] = []
        for number, call in timed:
            given = Given(case, call, number, cells, time)
            outputs.append(ANY_TIME[call["driver"]](given))
            inputs += given.feeds
            fed.update({tensor.name: array for tensor, array in given.feeds.items()})
            axes[f"{given.prefix}X"] = 0 if given.kwargs.get("time_major") else 1
        graph = unroll.Graph(inputs, outputs)
        values = {
            variable.replace("/bidirectional_rnn", ""): array for variable, array in under("var/", arrays).items()
        }
        graph.assign({parameter: values[parameter.replace("/bidirectional_rnn", "")] for parameter in graph.parameters})
        return graph

    make(case["T"])
    expected = [array for number, _ in timed for array in under(f"result/{number}/", arrays).values()]
    return AnyLength(make, case["T"], fed, axes, expected, case["dtype"])


class Program(NamedTuple):
    """A case built with unroll, and TensorFlow's numbers: a list for each chunk, which is one for most cases."""

    graph: unroll.Graph
    feeds: dict[str, Array]
    expected: list[list[Array]]


@cache
def build(name: str) -> Program:
    case = CASES[name]
    cells = [build_cell(spec) for spec in case["cells"]]
    feeds: dict[Any, Array] = {}
    outputs: list[Any] = []
    states: dict[Any, Any] = {}
    for number, call in enumerate(case["calls"]):
        given = Given(case, call, number, cells)
        outputs.append(DRIVERS[call["driver"]](given))
        feeds |= given.feeds
        states |= given.saver.states if given.saver else {}
    graph = unroll.Graph([tensor for tensor in feeds if tensor not in states], outputs, states=states)
    arrays = arrays_of(case)
    graph.assign(under("var/", arrays))
    chunks = ["result/"] if case["chunks"] == 1 else ["result/0/", "result/1/"]
    expected = [list(under(chunk, arrays).values()) for chunk in chunks]
    return Program(graph, {tensor.name: array for tensor, array in feeds.items()}, expected)
