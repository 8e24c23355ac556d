"""What all sessions offer alike, whatever runs a graph: snapshots of its Parameters, streams, sequences, fetches by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from unroll.dtypes import Array
from unroll.errors import warn
from unroll.export.running.session_batches import run_many
from unroll.feeds import InputSpec
from unroll.streaming import Stream
from unroll.tensor import Tensor
from unroll.words import spelled_methods


@spelled_methods
class Snapshot(ABC):
    """A graph, ready to run with the values that its Parameters had when the session was made, or last refreshed.

    Attributes:
        inputs: name, shape and dtype of each input.
        states: ``{input name: output name}`` of the state that lives between runs; see `stream`.
        output_names: the names of the outputs, in order.
    """

    inputs: list[InputSpec]
    states: dict[str, str]
    output_names: tuple[str, ...]
    _session: Any  # what runs; another one after each refresh

    @property
    def input_specs(self) -> list[InputSpec]:
        """What each input takes; the same as `inputs`, under the name that a Graph has for it."""
        return self.inputs

    @property
    @abstractmethod
    def output_shapes(self) -> dict[str, Sequence[object]]:
        """The sizes of each output by its name; what is no number depends on what is fed."""

    @property
    @abstractmethod
    def stale(self) -> list[str]:
        """The names of the Parameters that were assigned since the session took its snapshot."""

    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...]) -> list[Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: Tensor | str) -> Array: ...

    @abstractmethod
    def run(
        self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...] | Tensor | str | None = None
    ) -> dict[str, Array] | list[Array] | Array:
        """Run the graph."""

    def stream(self) -> Stream:
        """Return a runner that carries the model's state from run to run; see `unroll.Stream`."""
        return Stream(self)

    def run_many(
        self,
        sequences: Iterable[Any],
        *,
        input: Any = None,
        lengths: Any = None,
        batch_size: int = 32,
        window: int = 1024,
    ) -> Iterator[dict[str, Array]]:
        """Run many sequences of any length, in batches of like length, and yield their results in order.

        Args:
            sequences: as `unroll.run_many`, which this calls, and so the rest.
            input: as `unroll.run_many`.
            lengths: as `unroll.run_many`.
            batch_size: as `unroll.run_many`.
            window: as `unroll.run_many`.

        Yields:
            ``{output name: array}`` for each sequence, without the batch axis.

        Raises:
            ArgumentTypeError, ArgumentError, ShapeError, FeedError: as `unroll.run_many`.
        """
        return run_many(self, sequences, input=input, lengths=lengths, batch_size=batch_size, window=window)

    def _warn_if_stale(self) -> None:
        stale = self.stale
        if stale:
            warn(
                f"Parameters changed since this Session was made: {', '.join(stale)}; it runs with the old values. "
                "Call session.refresh()",
            )


def among(name: str, names: Collection[str]) -> str | None:
    """Return how a name is spelled among others, with TensorFlow's ``:0`` or without it; None where it is not there."""
    return next((spelling for spelling in (name, name.removesuffix(":0"), f"{name}:0") if spelling in names), None)
