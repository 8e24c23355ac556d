"""ONNX's Loop: a body that runs again and again, until its count is reached or its condition is false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from unroll import scopes
from unroll.checks import check_int, check_size
from unroll.dimensions import Dim, Dimension, Shape, symbol
from unroll.dtypes import ALL, BOOL, INT64, Array, DType, widened
from unroll.errors import ArgumentError, ShapeError, UnsupportedError
from unroll.ops.bodies import (
    WithBodies,
    check_dtypes,
    check_is,
    checked_body,
    checked_tensors,
    flops_of,
    require_alike,
    run_body,
)
from unroll.ops.operator import Requirements, Signature, made
from unroll.structure import Structure
from unroll.tensor import Constant, Tensor

#: How often bodies of loops are run at most in one run of the outermost one, a few seconds.
MOST_ITERATIONS = 30_000

_most: ContextVar[int] = ContextVar("unroll_most_iterations", default=MOST_ITERATIONS)
#: How many runs of bodies are left to the outermost loop that is being computed.
_left: ContextVar[list[int] | None] = ContextVar("unroll_iterations_left", default=None)


@contextmanager
def most_iterations(count: int) -> Iterator[None]:
    """Let loops run more often, or less, before NumPy gives up: a Loop may say that it never ends.

    Args:
        count: how often bodies of loops are run at most in one run of a loop, those of loops inside among them; 30,000 by
            default.

    Yields:
        Nothing: it holds for the body of a ``with`` statement, in this thread.

    Raises:
        ArgumentTypeError, ArgumentError: `count` is not an int of at least 1.

    Example:
        >>> kinds = {"number": "int64", "go": "bool", "total": "int64"}
        >>> number, go, total = (unroll.placeholder([], name, kind) for name, kind in kinds.items())
        >>> body = unroll.Graph([number, go, total], [ops.identity(go), total + number])
        >>> (last,) = ops.loop(body, [unroll.constant(0)], count=50_000)
        >>> with ops.most_iterations(100_000):
        ...     unroll.Graph([], {"last": last}).run({})["last"].item()
        1249975000
    """
    token = _most.set(check_size(count, "most_iterations: count"))
    try:
        yield
    finally:
        _most.reset(token)


@dataclass(frozen=True, repr=False, eq=False)
class Loop(WithBodies):
    """Runs `body` again and again, handing the states on, as often as the count says and while the condition is true.

    The node's inputs are the count (None for no limit), the condition before the first run (None for true), the states before
    it, and what every run reads (ONNX writes those as names of the graph outside). The body's inputs are the number of the
    run, from 0, the condition, and the same two groups; its outputs are the condition for the next run, the new states, then
    what is stacked along a new axis 0. The node's outputs are the last states and the stacks.

    Args:
        body: what runs; its Parameters come in through the node's inputs.
        num_shared: how many of the last inputs every run reads as they are.
        declared: the shape of each output, as far as nothing else says it: how many runs there are, and the sizes of a state
            that the body changes.
    """

    signature = Signature("M: int64?, cond: bool?, v_initial: V* -> v_final_and_scan_outputs: V", V=ALL)
    body: Structure
    num_shared: int = 0
    declared: tuple[Shape, ...] = ()

    @property
    def num_states(self) -> int:
        """How many states are handed on."""
        return len(self.body.inputs) - 2 - self.num_shared

    def shapes(self, require: Requirements, *inputs: Tensor | None) -> list[Shape]:
        body, count = self.body, self.num_states
        for tensor, what in zip(inputs[:2], ("count", "condition"), strict=True):
            if tensor is not None and tensor.rank > 1:
                raise ShapeError(f"the {what} is {tensor.described()}; one number is wanted")
        states = [tensor for tensor in inputs[2 : 2 + count] if tensor is not None]
        shared = [tensor for tensor in inputs[2 + count :] if tensor is not None]
        require_alike(require, body, shared, 2 + count, "the body")
        found = [self._state(require, place, tensor) for place, tensor in enumerate(states)]
        varying = {dim for place in range(count) for dim in self._varying(place).values()}
        runs = self._runs(inputs[0], inputs[1])
        for place, tensor in enumerate(body.outputs[1 + count :], count):
            sizes = (runs, *body.shape(tensor))
            pairs = zip(sizes, self._declared(place, len(sizes)), strict=True)
            found.append(tuple(said if size is None or _holds(size, varying) else size for size, said in pairs))
        return found

    def _state(self, require: Requirements, place: int, tensor: Tensor) -> Shape:
        """Return the shape of a state after the last run: the first one's, but for the sizes that the body changes."""
        body = self.body
        inner, after = body.inputs[2 + place], body.outputs[1 + place]
        if not len(inner.shape) == len(after.shape) == tensor.rank:
            raise ShapeError(
                f"the body takes {inner.described()} and makes {after.described()}, from {tensor.described()}"
            )
        varying = self._varying(place)
        sizes = list(self._declared(place, tensor.rank))
        for axis, (now, size) in enumerate(zip(body.shape(inner), tensor.shape, strict=True)):
            if axis not in varying:
                require.equal(now, size, f"axis {axis} of {inner.name!r} in the body")
                sizes[axis] = size
        return tuple(sizes)

    def _varying(self, place: int) -> dict[int, Dim]:
        """Return the sizes of a state that the body changes, by their axes."""
        body = self.body
        before, after = body.shape(body.inputs[2 + place]), body.shape(body.outputs[1 + place])
        return {axis: now for axis, (now, new) in enumerate(zip(before, after, strict=False)) if now != new}

    def _declared(self, place: int, rank: int) -> Shape:
        found = self.declared[place] if place < len(self.declared) else ()
        return found if len(found) == rank else tuple(symbol(f"Loop_{place}_{axis}") for axis in range(rank))

    def _runs(self, count: Tensor | None, condition: Tensor | None) -> Dim | None:
        """Return how often the body runs; None where only a run says so."""
        known = count.known if count is not None else None
        known = known[0] if isinstance(known, tuple) and len(known) == 1 else known
        if known is None or isinstance(known, tuple) or not _is_true(condition) or not goes_on(self.body):
            return None
        return max(known, 0) if isinstance(known, int) else known

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [tensor.dtype for tensor in self.body.outputs[1:]]

    def evaluate(self, *arrays: Array | None) -> list[Array]:
        return self._walked(arrays, wide=False)

    def evaluate_wide(self, *arrays: Array | None, most_steps: int | None = None) -> list[Array]:
        return self._walked(arrays, wide=True)

    def _walked(self, arrays: Sequence[Array | None], wide: bool) -> list[Array]:
        left = _left.get()
        if left is not None:
            return self._runs_of(arrays, wide, left)
        token = _left.set([_most.get()])
        try:
            return self._runs_of(arrays, wide, _left.get() or [])
        finally:
            _left.reset(token)

    def _runs_of(self, arrays: Sequence[Array | None], wide: bool, left: list[int]) -> list[Array]:
        body, count = self.body, self.num_states
        most = None if arrays[0] is None else _one(arrays[0], "count")
        go = True if arrays[1] is None else bool(_one(arrays[1], "condition"))
        states = list(arrays[2 : 2 + count])
        stacks: list[list[Array]] = [[] for _ in body.outputs[1 + count :]]
        run = 0
        while go and (most is None or run < most):
            left[0] -= 1
            if left[0] < 0:
                raise UnsupportedError(
                    f"{self!r} goes on after {_most.get()} iterations, so NumPy gives up; allow more with `with "
                    "unroll.ops.most_iterations(count):`, or run the graph with unroll.Session(graph)"
                )
            number, condition = (
                np.full([1] * tensor.rank, value, tensor.dtype)
                for tensor, value in zip(body.inputs[:2], (run, go), strict=True)
            )
            found = run_body(body, (number, condition, *states, *arrays[2 + count :]), wide)  # type: ignore[arg-type]
            go, states = bool(_one(found[0], "condition")), found[1 : 1 + count]  # type: ignore[assignment]
            for stack, array in zip(stacks, found[1 + count :], strict=True):
                stack.append(array)
            run += 1
        pairs = zip(stacks, body.outputs[1 + count :], strict=True)
        return [*states, *(np.stack(stack) if stack else self._empty(tensor, wide) for stack, tensor in pairs)]  # type: ignore[list-item]

    def _empty(self, tensor: Tensor, wide: bool) -> Array:
        """Return a stack of nothing, as onnxruntime does: a size that only a run of the body knows is 0."""
        sizes = [dim if isinstance(dim, int) else 0 for dim in self.body.shape(tensor)]
        array = np.zeros((0, *sizes), tensor.dtype)
        return widened(array) if wide else array

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        """Count the operations of the body, once for each run that the stacks tell of; once where there is no stack."""
        stacked = outputs[self.num_states :]
        within = [(1,) * tensor.rank for tensor in self.body.inputs[:2]]
        return int(stacked[0][0] if stacked else 1) * flops_of(self.body, [*within, *inputs[2:]])


def _holds(size: Dim, varying: set[Dim]) -> bool:
    """Say whether a size is made of those that change from run to run."""
    if not isinstance(size, Dimension):
        return False
    return any(isinstance(dim, Dimension) and not size.symbols.isdisjoint(dim.symbols) for dim in varying)


def _one(array: Array, what: str) -> Any:
    """Return the one number in an array."""
    if array.size != 1:
        raise ValueError(f"the {what} is of shape {array.shape}; one number is wanted")
    return array.reshape(-1)[0]


def _is_true(condition: Tensor | None) -> bool:
    return condition is None or (isinstance(condition, Constant) and bool(condition.value.all()))


def goes_on(body: Structure) -> bool:
    """Say whether the condition that a body makes is true whenever it is run."""
    condition: Tensor | None = body.outputs[0]
    while condition is not None and condition.node is not None and condition.node.op.name in ("Cast", "Identity"):
        condition = condition.node.inputs[0]
    return condition is body.inputs[1] or (isinstance(condition, Constant) and bool(condition.value.all()))


def loop(
    body: Structure,
    states: Sequence[Tensor],
    shared: Sequence[Tensor] = (),
    *,
    count: Tensor | int | None = None,
    condition: Tensor | None = None,
    provenance: frozenset[scopes.Origin] | None = None,
) -> tuple[Tensor, ...]:
    """Run `body` again and again; see `Loop`.

    Args:
        body: its inputs are the number of the run, an int64 of no axes, a bool that is true, the states, and what is shared;
            its outputs are a bool, whether to go on, and the new states, then what is stacked.
        states: the states before the first run.
        shared: what every run reads.
        count: how often it runs at most, an int64; no limit by default.
        condition: a bool, whether it runs at all; it does by default.
        provenance: where the node came from; the scope in force by default.

    Returns:
        The last states, then the stacks, ``(runs, ...)`` each. A size that only a run knows is a symbol.

    Raises:
        ArgumentError: the body does not take these inputs or does not return a state for each one it takes; or the count takes
            more than 64 bits.
        ArgumentTypeError: the body is no Graph, what it is given are no lists of tensors, or the count is no int.
        ShapeError, DTypeError: a tensor does not fit the body's input.

    Example:
        Powers of two, until one is larger than 100:

        >>> number, go = unroll.placeholder([], name="i", dtype="int64"), unroll.placeholder([], name="go", dtype="bool")
        >>> x = unroll.placeholder([], name="x")
        >>> body = unroll.Graph([number, go, x], [2 * x < 100, 2 * x, ops.identity(x)])
        >>> start = unroll.placeholder([], name="start")
        >>> last, powers = ops.loop(body, [start])
        >>> found = unroll.Graph([start], {"last": last, "powers": powers}).run({start: 1})
        >>> found["last"].item(), found["powers"].tolist()
        (128.0, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    """
    body = checked_body(body, "Loop: the body")
    first, others = checked_tensors({"states": states, "shared": shared}, "Loop")
    if len(body.inputs) != 2 + len(first) + len(others) or len(body.outputs) < 1 + len(first):
        raise ArgumentError(f"Loop: {len(first)} states and {len(others)} shared tensors do not fit {body!r}")
    limit = count
    if limit is not None and not isinstance(limit, Tensor):
        limit = Constant(np.array(check_int(limit, "Loop: the count"), INT64))
    check_dtypes(zip(body.inputs[2:], [*first, *others], strict=True), "Loop")
    check_dtypes(zip(body.outputs[1:], first, strict=False), "Loop")
    for what, tensor, dtype in (
        ("the number of the run", body.inputs[0], INT64),
        ("the condition of the body", body.inputs[1], BOOL),
        ("the condition for the next run", body.outputs[0], BOOL),
        ("the count", limit, INT64),
        ("the condition", condition, BOOL),
    ):
        check_is(tensor, dtype, f"Loop: {what}")
    op = Loop(body, len(others))
    return made(
        op, (limit, condition, *first, *others), scopes.current().provenance if provenance is None else provenance
    )
