"""Programs of TensorFlow's drivers, over the library's own cells: states, lengths, directions, loops."""

from __future__ import annotations

from typing import Any

import unroll
from programs.choices import Choices
from programs.family_cells import cell_of, zero_state
from programs.material import Material
from unroll import layers, nest, ops
from unroll.tensor import Tensor

DRIVERS = {
    "static_rnn": 4.0, "dynamic_rnn": 2, "rolled": 3, "static_bidirectional_rnn": 1.5, "bidirectional_dynamic_rnn": 1.5,
    "stack_bidirectional_rnn": 0.5, "by hand": 1, "raw_rnn": 0.8, "state saving": 0.5, "two scopes": 0.7,
    "one cell over two inputs": 0.7,
}  # fmt: skip


def of_cells(choices: Choices) -> unroll.Graph:
    """Return a program of TensorFlow's cells and drivers."""
    m = Material(choices)
    units, width = m.units(), choices.whole("width", 2, 3)
    driver = choices.pick("driver", DRIVERS)
    if m.batch == "two names" and driver in ("state saving", "one cell over two inputs"):
        driver = "static_rnn"  # these refuse a state of another batch than the input's
    cell = cell_of(choices, "cell", units)
    lengths = m.lengths() if choices.flag("lengths", 0.35) and driver not in ("by hand", "raw_rnn") else None
    start = choices.pick("initial state", {"none": 4, "inputs": 2}) if driver != "stack_bidirectional_rnn" else "none"

    def first(name: str, item: Any, rows: Any) -> Any:
        size = item.state_size
        if start != "inputs" or not nest.flatten(size) or not hasattr(item, "zero_state"):
            return None
        return nest.pack(size, [m.placeholder(f"{name}{k}", [rows, n]) for k, n in enumerate(nest.flatten(size))])

    if driver in ("dynamic_rnn", "rolled", "bidirectional_dynamic_rnn"):
        return m.with_values(_dynamic(m, driver, cell, lengths, first, width))
    xs = m.sequence("x", width)
    if driver in ("static_bidirectional_rnn", "stack_bidirectional_rnn"):
        other = (
            cell_of(choices, "other cell", units)
            if choices.flag("other cell backward")
            else cell_of(choices, "cell", units)
        )
        if driver == "stack_bidirectional_rnn":
            below = [unroll.GRUCell(units)], [unroll.BasicRNNCell(units)]
            ys, *states = unroll.stack_bidirectional_rnn(
                [*below[0], cell], [*below[1], other], xs, sequence_length=lengths
            )
        else:
            ys, *states = unroll.static_bidirectional_rnn(
                cell,
                other,
                xs,
                first("fw", cell, xs[0].shape[0]),
                first("bw", other, xs[0].shape[0]),
                sequence_length=lengths,
                dtype=m.dtype,
            )
    elif driver == "raw_rnn":
        ys, states = _raw(m, cell, xs, first)
    elif driver == "by hand":
        ys, states = _by_hand(m, cell, xs, first)
    elif driver == "state saving":
        return m.with_values(_saving(m, cell, xs, lengths))
    else:
        scope = "a" if driver == "two scopes" else None
        ys, states = unroll.static_rnn(cell, xs, first("start", cell, xs[0].shape[0]), m.dtype, lengths, scope=scope)
        if driver == "two scopes":
            more, others = unroll.static_rnn(
                cell_of(choices, "second cell", units), ys, scope="b", sequence_length=lengths
            )
            ys, states = more, [ys[-1], states, others]
        if driver == "one cell over two inputs":
            more, others = unroll.static_rnn(cell, m.sequence("v", width), states, scope="again")
            ys, states = [*ys, *more], [others]
    outputs = {f"y/{step}": y for step, y in enumerate(ys)} if choices.flag("each step") else {"y": ops.stack(ys, 1)}
    if choices.flag("states", 0.6):
        outputs |= {f"state/{place}": tensor for place, tensor in enumerate(nest.flatten(states))}
    return m.with_values(unroll.Graph(m.inputs, outputs))


def _dynamic(m: Material, driver: str, cell: Any, lengths: Any, first: Any, width: int) -> unroll.Graph:
    major = m.choices.flag("time major")
    x = m.placeholder("x", [m.steps, m.rows(), width] if major else [m.rows(), m.steps, width])
    options = {"time_major": major, "dtype": m.dtype}
    rows = x.shape[1 if major else 0]
    if driver == "bidirectional_dynamic_rnn":
        other = cell_of(m.choices, "cell", m.units())
        ys, states = unroll.bidirectional_dynamic_rnn(
            cell, other, x, lengths, first("fw", cell, rows), first("bw", other, rows), **options
        )
        return unroll.Graph(m.inputs, {"y": ops.concat(ys, -1), "states": states})
    rolled = driver == "rolled"
    y, state = unroll.dynamic_rnn(cell, x, lengths, first("start", cell, rows), rolled=rolled, **options)
    outputs = {"y": y}
    if rolled and m.choices.flag("second loop", 0.3):
        y, _ = unroll.dynamic_rnn(unroll.GRUCell(2), y, lengths, rolled=rolled, scope="second", **options)
        outputs = {"y": ops.tanh(y)}
    if m.choices.flag("states", 0.6):
        outputs["state"] = state
    return unroll.Graph(m.inputs, outputs)


def _by_hand(m: Material, cell: Any, xs: list[Tensor], first: Any) -> tuple[list[Tensor], Any]:
    state = first("start", cell, xs[0].shape[0])
    state = zero_state(m, cell, xs[0]) if state is None else state
    ys = []
    keras = isinstance(cell, layers.Layer)
    for x in xs:
        y, state = cell(x, nest.flatten(state) if keras else state)
        ys.append(y)
    return ys, state


def _raw(m: Material, cell: Any, xs: list[Tensor], first: Any) -> tuple[list[Tensor], Any]:
    """A decoder that reads what it made, from step 1 on or added to its input."""
    width = int(xs[0].shape[-1])
    start = first("start", cell, xs[0].shape[0])
    start = zero_state(m, cell, xs[0]) if start is None else start
    way = m.choices.pick("decoder", ("its output", "input and output", "input"))
    lengths = m.lengths() if m.choices.flag("decoder/lengths", 0.3) and m.batch != "two names" else None

    def step(time: int, output: Any, state: Any, loop: Any) -> Any:
        done: Any = False
        if lengths is not None:
            done = ops.less_equal(lengths, unroll.constant(time, dtype=lengths.dtype))
        x = xs[min(time, len(xs) - 1)]
        if time and way != "input":
            said = ops.tanh(output @ m.weight("said", int(output.shape[-1]), width))
            x = said if way == "its output" else x + said
        return done, x, state if time else start, None, None

    ys, state, _ = unroll.raw_rnn(cell, step, maximum_iterations=m.steps)
    return ys, state


def _saving(m: Material, cell: Any, xs: list[Tensor], lengths: Any) -> unroll.Graph:
    sizes = nest.flatten(cell.state_size)
    names = nest.pack(cell.state_size, [f"s{place}" for place in range(len(sizes))])
    saver = unroll.StateSaver(
        {f"s{place}": size for place, size in enumerate(sizes)},
        batch_size={"fixed": 2, "one": 1}.get(m.batch),
        dtype=m.dtype,
    )
    ys, _ = unroll.static_state_saving_rnn(cell, xs, saver, names, sequence_length=lengths)
    return unroll.Graph([*m.inputs, *saver.states], {"y": ops.stack(ys, 0)}, states=saver.states)
