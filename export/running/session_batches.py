"""Running many sequences of any length: in batches of like length, results in the order of the sequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from unroll.arguments import checked
from unroll.checks import check_size, shown
from unroll.dimensions import Dimension, shape_text
from unroll.dtypes import Array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, FeedError, ShapeError
from unroll.export.running.session_like import SessionLike
from unroll.feeds import InputSpec
from unroll.tensor import Placeholder
from unroll.words import closest


@checked()
def run_many(
    sessions: SessionLike | Sequence[SessionLike],
    sequences: Iterable[Any],
    *,
    input: Any = None,
    lengths: Any = None,
    batch_size: int = 32,
    window: int = 1024,
) -> Iterator[dict[str, Array]]:
    """Run many sequences, from a list or a generator, and give their results one by one, in their order.

    Among every `window` sequences, those of similar length are run together, so that little is computed on padding. A
    session that takes lengths runs sequences of up to its number of steps, padded with zeros at the end; one that takes
    none runs sequences of exactly its number of steps. Of several sessions, the shortest one that fits is used.

    Threads: what is returned is a generator, for one thread; Python refuses a second one (ValueError). Call this in
    every thread instead; the sessions may be shared.

    Args:
        sessions: a session, or one for each of several numbers of steps; ``(batch, time, ...)`` or ``(time, batch, ...)``
            where batch is symbolic, or an input ``(batch, ...)`` for each step.
        sequences: an array ``(time, ...)`` each; or a dict of arrays by input name, without batch, where there are inputs
            besides the sequence.
        input: the input that takes the sequence (or a list, one a step), by name or placeholder; by default the one that can.
        lengths: the input that takes the lengths; by default the integer input ``(batch,)``, where there is one.
        batch_size: how many sequences are run together at most.
        window: how many sequences, and results, are held at a time at most.

    Yields:
        ``{output name: array}`` for each sequence, without the batch axis. Outputs over time keep the session's number of
        steps; what is past a sequence's length is what the graph makes of padding: zeros, where the driver was given lengths.

    Raises:
        ArgumentTypeError: no Session, or `sequences` cannot be iterated over.
        ArgumentError: it is not clear which input takes the sequence, or `batch_size` or `window` is below 1.
        ShapeError: no session takes a sequence of such a length.
        FeedError: a dict lacks an input, or holds one there is not.

    Example:
        >>> x = unroll.placeholder([None, 3, 1], name="x")
        >>> lengths = unroll.placeholder([None], name="lengths", dtype="int32")
        >>> outputs, state = unroll.dynamic_rnn(unroll.GRUCell(5), x, lengths)
        >>> session = unroll.Session(unroll.Graph([x, lengths], {"state": state}))
        >>> [found["state"].shape for found in unroll.run_many(session, [np.zeros((2, 1)), np.zeros((3, 1))])]
        [(5,), (5,)]
    """
    for name, number in (("batch_size", batch_size), ("window", window)):
        check_size(number, f"run_many: {name}")
    listed: list[Any] = list(sessions) if isinstance(sessions, (list, tuple)) else [sessions]
    if not listed:
        raise ArgumentError("run_many: no session was given")
    layouts = sorted((_layout(item, _name(input), _name(lengths)) for item in listed), key=lambda item: item.time)
    return _results(layouts, _walked(sequences), batch_size, window)


def _walked(sequences: Iterable[Any]) -> Iterator[Any]:
    try:
        return iter(sequences)
    except TypeError:
        raise ArgumentTypeError(
            f"run_many: sequences is {sequences!r} of type {type(sequences).__name__}; a list or a generator of arrays "
            "is wanted"
        ) from None


def _results(layouts: list[Layout], source: Iterator[Any], batch_size: int, window: int) -> Iterator[dict[str, Array]]:
    start = 0
    while held := [_read(item, start + place, layouts[0]) for place, item in enumerate(islice(source, window))]:
        chosen = [_fitting(layouts, item, start + place) for place, item in enumerate(held)]
        order = sorted(range(len(held)), key=lambda place: (layouts[chosen[place]].time, len(held[place].steps)))
        found: dict[int, dict[str, Array]] = {}
        while order:
            first = chosen[order[0]]
            batch = [place for place in order[:batch_size] if chosen[place] == first]
            order = order[len(batch) :]
            results = layouts[first].run([held[place] for place in batch])
            found |= dict(zip(batch, results, strict=True))
        start += len(held)
        yield from (found.pop(place) for place in range(len(held)))


class Item(NamedTuple):
    """One sequence: its steps, and what is fed besides, by input name."""

    steps: Array
    others: dict[str, Array]


class Layout(NamedTuple):
    """How a session takes sequences.

    Attributes:
        session: the session.
        inputs: the input that takes the sequence, or those of the steps.
        lengths: the input that takes lengths.
        time: how many steps there are.
        time_axis: of the one input, the axis of steps; None where every step has an input.
        batch: the symbol of the batch.
        others: every other input.
    """

    session: SessionLike
    inputs: tuple[InputSpec, ...]
    lengths: InputSpec | None
    time: int
    time_axis: int | None
    batch: str
    others: tuple[InputSpec, ...]

    def run(self, items: list[Item]) -> list[dict[str, Array]]:
        """Run sequences together and return the results of each."""
        shape = (len(items), self.time, *items[0].steps.shape[1:])
        padded = np.zeros(shape, self.inputs[0].dtype)
        for row, item in zip(padded, items, strict=True):
            row[: len(item.steps)] = item.steps
        if self.time_axis is None:
            feeds = {spec.name: padded[:, step] for step, spec in enumerate(self.inputs)}
        else:
            feeds = {self.inputs[0].name: padded if self.time_axis else padded.swapaxes(0, 1)}
        if self.lengths is not None:
            feeds[self.lengths.name] = np.array([len(item.steps) for item in items], self.lengths.dtype)
        feeds |= {spec.name: np.stack([item.others[spec.name] for item in items]) for spec in self.others}
        found = self.session.run(feeds)
        axes = {name: _batch_axis(sizes, self.batch) for name, sizes in self.session.output_shapes.items()}
        return [
            {name: array if axes[name] is None else array.take(place, axes[name]) for name, array in found.items()}
            for place in range(len(items))
        ]


def _batch_axis(declared: Sequence[object], batch: str) -> int | None:
    """Return which axis of an output is the batch: the one called so, or the only one whose size is not fixed."""
    if batch in declared:
        return list(declared).index(batch)
    open_axes = [axis for axis, size in enumerate(declared) if not isinstance(size, int)]
    return open_axes[0] if len(open_axes) == 1 else None


# -- reading sequences ------------------------------------------------------------------------------------------------


def _read(item: Any, place: int, layout: Layout) -> Item:
    what = f"sequence {place}"
    first = layout.inputs[0]
    given = item if isinstance(item, Mapping) else {first.name: item}
    values = {_name(key): value for key, value in given.items()}
    wanted = {spec.name: spec for spec in (first, *layout.others)}
    for name in values.keys() - wanted.keys():
        raise FeedError(f"{what} holds {name!r}, which is no input beside lengths; {closest(str(name), wanted)}")
    for name in wanted.keys() - values.keys():
        raise FeedError(f"{what} lacks {name!r}; give a dict of arrays by input name, without the batch axis")
    arrays = {name: cast_array(value, wanted[name].dtype, f"{what}, {name!r}") for name, value in values.items()}
    steps = arrays.pop(first.name)
    inner = first.shape[1:] if layout.time_axis is None else first.shape[2:]
    if steps.shape[1:] != inner or not steps.ndim:
        raise ShapeError(f"{what}: shape {steps.shape} was given, {shape_text(('time', *inner))} is wanted")  # type: ignore[arg-type]
    return Item(steps, arrays)


def _fitting(layouts: list[Layout], item: Item, place: int) -> int:
    time = len(item.steps)
    for at, layout in enumerate(layouts):
        if time == layout.time or (layout.lengths is not None and time < layout.time):
            return at
    there = ", ".join(str(layout.time) for layout in layouts)
    longest = "up to " if layouts[-1].lengths is not None else "exactly "
    raise ShapeError(
        f"sequence {place} has {time} steps; the sessions take {longest}{there}. Compile one for more steps"
        + ("" if layouts[-1].lengths is not None else ", or a graph that takes lengths")
    )


# -- which input is what ----------------------------------------------------------------------------------------------


def _name(given: Any) -> Any:
    if isinstance(given, (list, tuple)):
        return [_name(item) for item in given]
    return (
        given.name if isinstance(given, Placeholder) else given.removesuffix(":0") if isinstance(given, str) else given
    )


def _layout(session: SessionLike, wanted: Any, lengths: Any) -> Layout:
    if not hasattr(session, "run_many"):
        raise ArgumentTypeError(f"run_many: a Session is wanted, not {type(session).__name__}")
    specs = {spec.name: spec for spec in session.inputs}
    if isinstance(wanted, list) and not wanted:
        raise ArgumentError("run_many: input is an empty list; name the inputs, one a step, or leave it out")
    for name in [*(wanted if isinstance(wanted, list) else [wanted]), lengths]:
        if name is not None and (not isinstance(name, str) or name not in specs):
            raise ArgumentError(f"run_many: {shown(name)} is no input; {closest(str(name), specs)}")
    found = _lengths(specs, lengths)
    chosen = [specs[name] for name in wanted] if isinstance(wanted, list) else _sequence(specs, found, wanted)
    batch_axis = 0 if _is_open(chosen[0], 0) else 1
    symbol = str(chosen[0].shape[batch_axis])
    others = tuple(spec for spec in specs.values() if spec not in chosen and spec is not found)
    if len(chosen) > 1 or isinstance(wanted, list):
        return Layout(session, tuple(chosen), found, len(chosen), None, symbol, others)
    axis = 1 - batch_axis
    return Layout(session, tuple(chosen), found, int(chosen[0].shape[axis]), axis, symbol, others)


def _lengths(specs: Mapping[str, InputSpec], wanted: str | None) -> InputSpec | None:
    if wanted is not None:
        return specs[wanted]
    fit = [spec for spec in specs.values() if spec.dtype.kind == "i" and len(spec.shape) == 1 and _is_open(spec, 0)]
    return fit[0] if len(fit) == 1 else None


def _sequence(specs: Mapping[str, InputSpec], lengths: InputSpec | None, wanted: str | None) -> list[InputSpec]:
    """Return the input ``(batch, time, ...)``, or those ``(batch, ...)`` that are a step each."""
    rest = [spec for spec in specs.values() if spec is not lengths]
    fit = [spec for spec in rest if _is_sequence(spec) and wanted in (None, spec.name)]
    if len(fit) > 1:  # a vector beside a sequence of vectors
        fit = [spec for spec in fit if len(spec.shape) > 2]
    if len(fit) == 1 and (wanted is not None or not _are_steps(rest)):
        return fit
    if wanted is None and _are_steps(rest):
        return rest
    seen = ", ".join(f"{spec.name} {shape_text(spec.shape)}" for spec in specs.values())
    raise ArgumentError(
        f"run_many: it is not clear which input takes the sequence, among {seen}. Say input=name, of an input "
        "(batch, time, ...) or (time, batch, ...) whose batch is None in its placeholder; or input=[names], one a step"
    )


def _is_open(spec: InputSpec, axis: int) -> bool:
    return isinstance(spec.shape[axis], Dimension)


def _is_sequence(spec: InputSpec) -> bool:
    return len(spec.shape) >= 2 and _is_open(spec, 0) != _is_open(spec, 1)


def _are_steps(specs: Sequence[InputSpec]) -> bool:
    first = specs[0] if specs else None
    return (
        first is not None
        and len(specs) > 1
        and len(first.shape) >= 2
        and _is_open(first, 0)
        and all(spec.shape == first.shape and spec.dtype == first.dtype for spec in specs)
    )
