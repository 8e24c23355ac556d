"""A graph as a program: what the caller hands in and takes out, scratch, weights, and statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unroll.errors import UnsupportedError
from unroll.export.c.entries import entry_of
from unroll.export.c.expressions import load
from unroll.export.c.layout import ALIGNED, Buffer, View
from unroll.export.c.lowering import Lowering, Value
from unroll.export.c.narrowing import Narrowed
from unroll.export.c.settling import settled
from unroll.export.c.sharing import share_rooms
from unroll.export.c.statements import Statement
from unroll.export.c.tidying import tidied
from unroll.export.c.views import shape_of
from unroll.graph import Graph
from unroll.tensor import Tensor

#: Larger buffers are refused: an index is an int.
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        name: what the graph calls it.
        view: where it is.
        state: whether it lives between runs, in the context.
    """

    name: str
    view: View
    state: bool = False


@dataclass(frozen=True)
class Program:
    """What C is written of.

    Attributes:
        inputs, outputs: what the caller hands in and takes out, in the graph's order; the states among them.
        buffers: all that is read and written.
        body: what is done.
        states: whether states live in the context.
        graph: what was lowered.
        narrowed: the weights of its nodes that are held in fewer bits.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    buffers: tuple[Buffer, ...]
    body: tuple[Statement, ...]
    states: bool
    graph: Graph
    narrowed: Narrowed

    @property
    def weights(self) -> list[Buffer]:
        """The weights, in order."""
        return [buffer for buffer in self.buffers if buffer.kind == "weight"]

    @property
    def scratch(self) -> list[Buffer]:
        """The rooms in the context: first those that fill whole lines of memory, so that little is lost between them."""
        rooms = [buffer for buffer in self.buffers if buffer.kind == "scratch" and buffer.room is None]
        return sorted(rooms, key=lambda room: (room.extent * room.dtype.itemsize % ALIGNED != 0, -room.dtype.itemsize))

    @property
    def context_bytes(self) -> int:
        """How many bytes the context takes, with what lies between its rooms."""
        total, most = 0, 1
        for room in self.scratch:
            size = room.extent * room.dtype.itemsize
            step = ALIGNED if size >= ALIGNED else room.dtype.itemsize
            total, most = -(-total // step) * step + size, max(most, step)
        return -(-total // most) * most


def program_of(
    graph: Graph,
    dims: Mapping[str, int] | None,
    *,
    rolled: bool,
    states: bool,
    what: str,
    check: bool = True,
    bits: str | None = None,
) -> Program:
    """Return a graph as a program.

    Args:
        graph: any graph.
        dims: numbers for all symbols of its inputs.
        rolled: whether steps that repeat become loops.
        states: whether the graph's states live in the context, and not with the caller.
        what: who asks, for messages.
        check: whether a graph with loops is proven to compute the same.
        bits: in which dtype of fewer bits weights are held, ``"float16"`` or ``"int8"``; None for their own.

    Raises:
        ArgumentError, ShapeError, UnsupportedError: as `unroll.to_c` says.
    """
    fixed = settled(graph, dims, rolled, what, check)
    low = Lowering(what, entry_of, bits=bits)
    held = fixed.states if states else {}
    inputs = tuple(_input(low, tensor, tensor.name, tensor.name in held) for tensor in fixed.inputs)
    given = {port.name: port for port in inputs}
    kept = {output: given[name] for name, output in held.items()}
    outputs = []
    for name, tensor in zip(fixed.output_names, fixed.outputs, strict=True):
        if name in kept:
            outputs.append(Port(name, kept[name].view, state=True))
            continue
        view = low.outside(tensor, name, "output", shape_of(tensor))
        low.want(tensor, view)
        outputs.append(Port(name, view))
    values: dict[Tensor, Value] = {tensor: load(port.view) for tensor, port in zip(fixed.inputs, inputs, strict=True)}
    found = low.walk(fixed.nodes, values, fixed.outputs)
    _write_outputs(low, outputs, found)
    _check_sizes(low, what)
    if bits is not None and not low.narrowed:
        raise UnsupportedError(
            f"{what}: {bits}: no weight can be held in fewer bits: those of float32 can, by which something is multiplied; "
            f"leave {bits} out"
        )
    lasting = {port.view.buffer for port in (*inputs, *outputs)}
    body = tidied(low.blocks[0], lasting)
    share_rooms(body, lasting)
    used = {view.buffer for statement in body for view in (*statement.reads(), *statement.writes())}
    buffers = tuple(
        item for item in low.buffers if item in used or item.kind in ("input", "output") or _is_state(item, kept)
    )
    return Program(inputs, tuple(outputs), buffers, tuple(body), bool(kept), fixed, low.narrowed)


def _is_state(buffer: Buffer, kept: Mapping[str, Port]) -> bool:
    return any(port.view.buffer is buffer for port in kept.values())


def _input(low: Lowering, tensor: Tensor, name: str, state: bool) -> Port:
    shape = shape_of(tensor)
    if not state:
        return Port(name, low.outside(tensor, name, "input", shape))
    low.check_dtype(tensor)
    return Port(name, low.scratch(name, tensor.dtype, shape, 0), state=True)


def _write_outputs(low: Lowering, outputs: list[Port], found: list[Value]) -> None:
    """Write what is not yet where it belongs; states last, once all is read."""
    states = []
    for port, value in zip(outputs, found, strict=True):
        if port.state:
            states.append((port, load(low.stored(value))))
        else:
            low.copied(port.view, value, port.name)
    for port, value in states:
        low.copied(port.view, value, f"{port.name}, for the next run")


def _check_sizes(low: Lowering, what: str) -> None:
    for buffer in low.buffers:
        if buffer.bytes > _LARGEST:
            raise UnsupportedError(f"{what}: {buffer.name} takes {buffer.bytes} bytes; C here takes {_LARGEST}")
