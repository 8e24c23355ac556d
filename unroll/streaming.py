"""Running a graph or model chunk by chunk, its state carried from one run to the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from unroll.arguments import check_methods
from unroll.checks import shown
from unroll.dimensions import shape_text, substitute
from unroll.dtypes import Array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, FeedError, ShapeError, UnsupportedError
from unroll.feeds import InputSpec, bound_sizes, check_is_mapping, fed_names
from unroll.words import closest, spelled_methods


class Runner(Protocol):
    """What a stream runs: a Graph or a Session."""

    states: dict[str, str]

    @property
    def input_specs(self) -> Sequence[InputSpec]:
        """What each input takes."""

    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]:
        """Compute all outputs."""


@spelled_methods
@check_methods("reset")
class Stream:
    """A graph or session whose state lives between runs: zeros at first, then what the last run left.

    Threads: a run continues from the last one, in whichever thread that was, so chunks may be handed from thread to
    thread as long as one run has ended before the next begins. Of two runs at once, the second is refused: both would
    continue from the same state, and one result would be lost. Every sequence needs a stream of its own; the graph or
    session may be shared.

    Args:
        runner: a Graph made with `states`, or a Session of one (or of a model exported from one).

    Raises:
        ArgumentError: the runner has no state.
        ArgumentTypeError: neither a Graph nor a Session.

    Example:
        A running total:

        >>> x, total = unroll.placeholder([1], name="x"), unroll.placeholder([1], name="total")
        >>> stream = unroll.Graph([x], {"sum": total + x}, states={total: total + x}).stream()
        >>> [stream.run({"x": [number]})["sum"].tolist() for number in (1, 2, 3)]
        [[1.0], [3.0], [6.0]]
    """

    def __init__(self, runner: Runner) -> None:
        if not isinstance(getattr(runner, "states", None), Mapping):
            raise ArgumentTypeError(f"Stream: a Graph or a Session is wanted, not {shown(runner)}")
        if not runner.states:
            raise ArgumentError(
                "stream: there is no state to carry; make the graph with Graph(inputs, outputs, states={placeholder: next})"
            )
        self._runner = runner
        self._specs = {spec.name: spec for spec in runner.input_specs}
        self._values: dict[str, Array] = {}
        self._running = threading.Lock()

    def __copy__(self) -> Stream:
        """Return a stream that continues from the same state, independently."""
        copied = Stream(self._runner)
        copied._values = dict(self._values)
        return copied

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the state for one run, and refuse another that begins meanwhile."""
        if not self._running.acquire(blocking=False):
            raise UnsupportedError(
                "stream: another thread is running it, and both would go on from the same state; wait for that run, or give "
                "every sequence a stream of its own: the graph or session may be shared"
            )
        try:
            yield
        finally:
            self._running.release()

    @property
    def state(self) -> dict[str, Array]:
        """The state as it is now, by input name; empty before the first run, where it is zeros."""
        return {name: value.copy() for name, value in self._values.items()}

    def __repr__(self) -> str:
        return f"Stream({', '.join(self._specs)}; carries {', '.join(self._runner.states)})"

    def reset(self, state: Mapping[Any, Any] | None = None) -> None:
        """Forget the state: zeros again, or `state` where it gives a value.

        Args:
            state: arrays by input name or placeholder.

        Raises:
            ArgumentTypeError: `state` is not a dict.
            FeedError: a name that is not a state's, or two that are one.
            ShapeError, DTypeError: an array does not fit.
            UnsupportedError: another thread is running the stream.
        """
        if state is not None and not isinstance(state, Mapping):
            raise ArgumentTypeError(f"reset: a dict {{state: array}} is wanted, not {type(state).__name__}")
        values = {}
        for name, key in fed_names(state or {}, self._runner.states, "reset: given is").items():
            if name not in self._runner.states:
                raise FeedError(f"reset: {name!r} is no state; {closest(str(name), self._runner.states)}")
            values[name] = np.array(cast_array((state or {})[key], self._specs[name].dtype, f"state {name!r}"))
        with self._alone():
            self._values = values

    def run(self, feeds: Mapping[Any, Any]) -> dict[str, Array]:
        """Run once and keep the new state.

        Args:
            feeds: an array for every input but the state, by placeholder or name.

        Returns:
            The outputs by name, without the state.

        Raises:
            ArgumentTypeError, FeedError, ShapeError, DTypeError: the feeds do not fit; the state stays as it was.
            UnsupportedError: another thread is running the stream.
        """
        check_is_mapping(feeds)
        states = self._runner.states
        given = fed_names(feeds, self._specs).keys()
        for name in states.keys() & given:
            raise FeedError(
                f"feeds hold the state {name!r}, which the stream carries; set it with reset({{{name!r}: array}})"
            )
        with self._alone():
            found = self._runner.run({**feeds, **self._fed(feeds)})
            self._values = {name: found[output] for name, output in states.items()}
        carried = set(states.values())
        return {name: array for name, array in found.items() if name not in carried}

    def _fed(self, feeds: Mapping[Any, Any]) -> dict[str, Array]:
        """Return the state to feed: zeros for what has no value yet, as many rows as the feeds have."""
        states = self._runner.states
        missing = [self._specs[name] for name in states if name not in self._values]
        fed = {name: self._values[name] for name in states if name in self._values}
        if missing:
            sizes = bound_sizes(list(self._specs.values()), {**feeds, **fed})
            for spec in missing:
                shape = [substitute(dim, sizes) for dim in spec.shape]
                if not all(isinstance(size, int) for size in shape):
                    raise ShapeError(
                        f"state {spec.name!r} of shape {shape_text(spec.shape)}: no feed says how large it is; "
                        f"give it with reset({{{spec.name!r}: array}})"
                    )
                fed[spec.name] = np.zeros([int(size) for size in shape], spec.dtype)
        return fed
