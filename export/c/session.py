"""`compile(graph, target="c")`: a graph compiled by the machine's C compiler, run as a Session is."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np

from unroll import nest
from unroll.dimensions import Dim, shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentTypeError, NameNotFoundError, UnsupportedError
from unroll.export.c.binding import CBound
from unroll.export.c.building import loaded
from unroll.export.c.listing import Listing
from unroll.export.c.program import Program, program_of
from unroll.export.choice import C, Candidate, Choice
from unroll.export.running.session_binding import Bound
from unroll.export.running.snapshots import Snapshot, among
from unroll.feeds import FeedChecker, InputSpec, bound_sizes
from unroll.graph import Graph
from unroll.sizes import symbols_of
from unroll.tensor import Tensor
from unroll.words import closest

_ALIGNED = 64
_NAME = "model"


class Compiled:
    """A graph compiled for one set of sizes, with the values that its weights have now.

    Threads: any number may run it; each run has a context of its own.

    Args:
        graph: the graph.
        sizes: numbers for the symbols of its inputs.
        cache: as `unroll.compile`.
        bits: in which dtype of fewer bits weights are held, if any.
        before: what was compiled of the same graph for these sizes, whose code is used again.
        most_lines: of how many lines the C may be; of any number by default.

    Raises:
        UnsupportedError: it is of more lines; there is no C compiler, or the graph cannot be written as C.
        ModelError: the compiler fails.
    """

    def __init__(
        self,
        graph: Graph,
        sizes: Mapping[str, int],
        cache: object,
        bits: str | None = None,
        before: Compiled | None = None,
        most_lines: int | None = None,
    ) -> None:
        first = before is None  # a rewriting holds for any values
        program = program_of(graph, sizes, rolled=True, states=False, what="compile", check=first, bits=bits)
        self._source = Listing(program, _NAME, "fast", apart=True).source(included=False)
        lines = self._source.count("\n")
        if most_lines is not None and lines > most_lines:
            raise UnsupportedError(f"not measured: {lines} lines of C take long to compile")
        same = before is not None and before._source == self._source
        self._library: ctypes.CDLL = before._library if before is not None and same else loaded(self._source, cache)
        self._size = self._library.model_size
        self._size.restype, self._size.argtypes = ctypes.c_uint64, [ctypes.c_int]
        self.call = self._library.model_call
        self.call.restype, self.call.argtypes = None, [ctypes.c_void_p]
        self.outputs = [(port.name, port.view.shape, port.view.dtype) for port in program.outputs]
        self.inputs = [port.name for port in program.inputs]
        self._weights = self._filled(program)
        self._contexts: list[Array] = []

    def _filled(self, program: Program) -> Array:
        """Return the weights as the library has them."""
        room = _aligned(self._size(1))
        for place, buffer in enumerate(program.weights, 2):
            assert buffer.value is not None
            start = self._size(place)
            room[start : start + buffer.value.nbytes] = buffer.value.view(np.uint8)
        return room

    def context(self) -> Array:
        """Return room for a run."""
        return _aligned(self._size(0))

    def addresses(self, context: Array, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Any:
        """Return what the library is called with. The arrays must outlive it."""
        arrays = [
            self._weights,
            context,
            *(inputs[name] for name in self.inputs),
            *(outputs[n] for n, _, _ in self.outputs),
        ]
        return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Compute all outputs of checked feeds."""
        found = {name: np.empty(shape, dtype) for name, shape, dtype in self.outputs}
        given = {name: np.ascontiguousarray(feeds[name]) for name in self.inputs}
        try:
            context = self._contexts.pop()
        except IndexError:
            context = self.context()
        self.call(self.addresses(context, given, found))
        self._contexts.append(context)
        return found


def _aligned(size: int) -> Array:
    """Return bytes that begin where processors read fastest."""
    room = np.zeros(size + _ALIGNED, np.uint8)
    start = -room.ctypes.data % _ALIGNED
    return room[start : start + size]


def _size(dim: Dim) -> int | str:
    return dim if isinstance(dim, int) else str(dim)


class CSession(Snapshot):
    """A graph compiled by the machine's C compiler; made by ``unroll.compile(graph, target="c")``.

    It is run as an `unroll.Session` is. Sizes are fixed in C: for each batch, or other size, that is fed for the first time,
    the graph is compiled anew, which takes about half a second, and is kept on disk. `refresh` needs no compiler.

    Threads: a session may be run by many at once. What `bind` and `stream` return is for one, each in its own way.

    Args:
        graph: the graph.
        cache: as `unroll.compile`.
        dims: sizes to compile for at once.
        bits: in which dtype of fewer bits weights are held, ``"float16"`` or ``"int8"``; None for their own.
        choice: why it was chosen; by default because it was asked for.
        most_lines: of how many lines the C for these sizes may be.

    Attributes:
        choice: why it was chosen, and what it was measured beside; prints as a table.
        inputs: name, shape and dtype of each input.
        states: ``{input name: output name}`` of the state that lives between runs; see `stream`.
        output_names: the names of the outputs, in order.

    Raises:
        UnsupportedError: there is no C compiler, or the graph cannot be written as C.
        ModelError: the compiler fails.
    """

    def __init__(
        self,
        graph: Graph,
        cache: object = True,
        dims: Mapping[str, int] | None = None,
        bits: str | None = None,
        choice: Choice | None = None,
        most_lines: int | None = None,
    ) -> None:
        self._graph, self._cache, self._bits = graph, cache, bits
        self.choice = choice or Choice(C, 1, "asked for", 1, (Candidate(C, 1),))
        self.inputs: list[InputSpec] = graph.input_specs
        self.states, self.output_names = graph.states, graph.output_names
        self._symbols = list(symbols_of(graph))
        self._feeds = FeedChecker(self.inputs, graph.residual_requirements)
        self._compiling = threading.Lock()
        self._take_versions()
        self._session: dict[tuple[int, ...], Compiled] = {}
        if dims is not None and set(self._symbols) <= dims.keys():
            self._made(tuple(dims[name] for name in self._symbols), most_lines)

    def _take_versions(self) -> None:
        self._versions = [(item, item.version) for item in self._graph.parameters.values()]

    @property
    def output_shapes(self) -> dict[str, Sequence[object]]:
        """The sizes of each output by its name; what is no number depends on what is fed."""
        pairs = zip(self.output_names, self._graph.outputs, strict=True)
        return {name: [_size(dim) for dim in self._graph.shape(tensor)] for name, tensor in pairs}

    @property
    def stale(self) -> list[str]:
        """The names of the Parameters that were assigned since the session took its snapshot."""
        return [item.name for item, version in self._versions if item.version != version]

    def __repr__(self) -> str:
        takes = ", ".join(f"{spec.name} {shape_text(spec.shape)}" for spec in self.inputs)
        return f"CSession({takes} -> {', '.join(self.output_names)}; compiled C)"

    def compiled(self, arrays: Mapping[str, Array]) -> Compiled:
        """Return the code for the sizes of checked feeds."""
        if not self._symbols:
            return self._made(())
        sizes = bound_sizes(self.inputs, arrays)
        return self._made(tuple(int(sizes[name]) for name in self._symbols))

    def _made(self, sizes: tuple[int, ...], most_lines: int | None = None) -> Compiled:
        snapshot = self._session
        found = snapshot.get(sizes)
        if found is None:
            with self._compiling:
                found = snapshot.get(sizes)
                if found is None:
                    found = snapshot[sizes] = self._compiled_for(sizes, None, most_lines)
        return found

    def _compiled_for(self, sizes: tuple[int, ...], before: Compiled | None, most_lines: int | None = None) -> Compiled:
        named = dict(zip(self._symbols, sizes, strict=True))
        return Compiled(self._graph, named, self._cache, self._bits, before, most_lines)

    def refresh(self) -> None:
        """Take a new snapshot of the graph's Parameters, without a compiler.

        Other threads may run the session meanwhile: a run has all the old values or all the new ones.
        """
        with self._compiling:
            self._take_versions()
            self._session = {sizes: self._compiled_for(sizes, before) for sizes, before in self._session.items()}

    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...]) -> list[Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: Tensor | str) -> Array: ...

    def run(
        self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...] | Tensor | str | None = None
    ) -> dict[str, Array] | list[Array] | Array:
        """Run the graph.

        Args:
            feeds: an array for every input, by placeholder or name; cast and checked as `Graph.run` does.
            fetches: outputs, by tensor or name; by default all of them.

        Returns:
            ``{output name: array}``; a list in order where a list is fetched; an array where one output is.

        Raises:
            FeedError, ShapeError, DTypeError: the feeds do not fit.
            NameNotFoundError: a fetch is not an output of the graph.
            UnsupportedError, ModelError: the sizes are new, and the graph cannot be compiled for them.
        """
        self._warn_if_stale()
        arrays = self._feeds.check(feeds)
        found = self.compiled(arrays).run(arrays)
        if fetches is None:
            return found
        if isinstance(fetches, (Tensor, str)):
            return found[self._output_name(fetches)]
        return [found[self._output_name(item)] for item in nest.flatten(fetches)]

    def _output_name(self, item: object) -> str:
        pairs = zip(self.output_names, self._graph.outputs, strict=True)
        name = next((name for name, tensor in pairs if tensor is item), item)
        if not isinstance(name, str):
            raise ArgumentTypeError(f"fetches: {item!r} is neither an output of the graph nor a name")
        found = among(name, self.output_names)
        if found is not None:
            return found
        raise NameNotFoundError(f"{name!r} is no output of the graph; {closest(name, self.output_names)}")

    def bind(self, feeds: Mapping[Any, Any]) -> Bound:
        """Return a run with inputs and outputs of its own that are used again and again: see
        `unroll.export.running.session_binding.Bound`.

        Args:
            feeds: an array for every input, by placeholder or name; they are copied, and fix the shapes.

        Returns:
            The run, whose `inputs` are the arrays to write to.

        Raises:
            FeedError, ShapeError, DTypeError: the feeds do not fit.
        """
        return CBound(self, feeds)
