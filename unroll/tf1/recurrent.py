"""The drivers of ``tf.nn``, over the core's: scopes and variables of the default graph, states of any batch."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from unroll import drivers, nest, scopes
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.layers.arguments import bind
from unroll.tensor import Tensor as Core
from unroll.tf1.cells import of_one_batch
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.operators import TABLE, constant
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import Tensor, lifted, translated, unwrap
from unroll.tf1.variables import VariableScope, get_variable_scope, within


@contextmanager
def driver_scope(scope: Any, default: str) -> Iterator[str]:
    """Enter the scope that the core's driver stands in, and give the name that it enters itself.

    Raises:
        ArgumentTypeError: neither a name nor a scope of variables.
    """
    if not isinstance(scope, (str, VariableScope, type(None))):
        raise ArgumentTypeError(f"scope is {scope!r}; a name or a scope of variables is wanted")
    outer, place = get_variable_scope(), nullcontext()
    parent, name = outer.name, scope if isinstance(scope, str) else default
    if isinstance(scope, VariableScope) and scope.name:
        parent, _, name = scope.name.rpartition("/")
        place = scopes.at(parent, parent)  # type: ignore[assignment]
    with within(VariableScope(outer.reuse, scopes.join(parent, name), outer.initializer)), place:
        yield name


def driver(function: Callable[..., Any], default: str, axis: int = 0) -> Callable[..., Any]:
    """Return a driver of the core as one of this face.

    Args:
        function: the driver.
        default: its scope where none is given.
        axis: the batch's axis of the inputs, unless they are time-major.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = bind(signature, unwrap(args), unwrap(kwargs), function.__name__).arguments
        states = [value for name, value in given.items() if name.startswith("initial_state")]
        along = 1 if given.get("time_major") is True else axis
        given["inputs"] = of_one_batch(given["inputs"], states, along)
        base = get_default_graph().scoped_name(default)
        with driver_scope(given.pop("scope", None), default) as scope:
            return _named(lifted(function)(**given, scope=scope), base, function is drivers.dynamic_rnn, bool(along))

    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _named(result: Any, base: str, is_dynamic: bool, time_major: bool) -> Any:
    """Return what a driver gives; what TensorFlow's ``dynamic_rnn`` gives has the names of its while loop."""
    if is_dynamic:
        outputs, state = result
        names = ["TensorArrayStack/TensorArrayGatherV3" if time_major else "transpose_1"]
        names += [f"while/Exit_{place + 3}" for place, _ in enumerate(nest.flatten(state))]
        leaves = zip([outputs, *nest.flatten(state)], names, strict=True)
        first, *rest = [Tensor(leaf.core, f"{base}/{name}:0", leaf.graph) for leaf, name in leaves]
        return first, nest.pack(state, rest)
    return result


#: The sizes of the arrays that ``raw_rnn`` saw read at time 0.
_sizes_read: ContextVar[list[int] | None] = ContextVar("unroll_tf1_sizes_read", default=None)


class TensorArray:
    """A list of tensors of one shape, as ``raw_rnn`` reads its inputs from and writes its outputs to."""

    def __init__(self, *args: Any, items: Iterable[Any] = (), **kwargs: Any) -> None:
        #: The tensors.
        self.items = list(items)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Return the array of the slices of a tensor along axis 0, whose size must be known."""
        return TensorArray(items=TABLE["unstack"](value))

    def read(self, index: Any, name: str | None = None) -> Any:
        """Return an element; one past the last, which nothing may use, is zeros.

        Raises:
            ArgumentError: there is no such element.
        """
        place, sizes = _known(index), _sizes_read.get()
        if sizes is not None:
            sizes.append(len(self.items))
        if place == len(self.items) > 0:
            return TABLE["zeros_like"](self.items[-1])
        if not 0 <= place < len(self.items):
            raise ArgumentError(f"TensorArray.read: there is no element {place}; it has {len(self.items)}")
        return self.items[place]

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return the array with a tensor at a place, the next one or one that is there.

        Raises:
            ArgumentError: the place lies beyond the next.
        """
        place = _known(index)
        if not 0 <= place <= len(self.items):
            raise ArgumentError(f"TensorArray.write: place {place} is not the next one, {len(self.items)}")
        return TensorArray(items=[*self.items[:place], value, *self.items[place + 1 :]])

    def size(self, name: str | None = None) -> Any:
        """Return how many there are."""
        return constant(len(self.items))

    def stack(self, name: str | None = None) -> Any:
        """Return the tensors side by side along a new axis 0."""
        return TABLE["stack"](self.items)


def _known(index: Any) -> int:
    core = unwrap(index)
    value = getattr(core, "value", None) if isinstance(core, Core) else core
    if value is None:
        raise ArgumentError(f"TensorArray: the index {index!r} must be known before a run, as the time of raw_rnn is")
    return int(value)


@takes("nn.raw_rnn", "cell, loop_fn, parallel_iterations=None, swap_memory=False, scope=None, maximum_iterations=None")
def raw_rnn(cell: Any, loop_fn: Callable[..., Any], scope: Any, maximum_iterations: int | None) -> Any:
    """Trace a cell whose inputs a function makes step by step; a graph has a fixed number of steps.

    Args:
        cell: the cell.
        loop_fn: as `unroll.raw_rnn`.
        scope: the scope of variables; ``rnn`` by default.
        maximum_iterations: how many steps there are, which TensorFlow does not take; by default as many as the TensorArray
            has elements that `loop_fn` reads at time 0.

    Returns:
        A TensorArray of what was emitted, the last state, and the last loop state.

    Raises:
        ArgumentError: it is not known how many steps there are; and as `unroll.raw_rnn`.
    """
    kept: list[Any] = []
    sizes: list[int] = []

    def asked(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        return loop_fn(constant(time, name="time"), output, state, loop_state)

    def first_kept(time: int, *args: Any) -> Any:
        return kept.pop() if kept else translated(asked)(time, *args)

    with driver_scope(scope, "rnn") as name:
        if maximum_iterations is None:
            now, token = scopes.current(), _sizes_read.set(sizes)
            with scopes.at(scopes.join(now.variables, name), scopes.join(now.nodes, name)):
                kept.append(unwrap(asked(0, None, None, None)))
            _sizes_read.reset(token)
            maximum_iterations = max(sizes, default=None)
        if maximum_iterations is None:
            raise ArgumentError("raw_rnn: a graph has a fixed number of steps: give maximum_iterations=20")
        loop = functools.partial(lifted(drivers.raw_rnn), scope=name, maximum_iterations=maximum_iterations)
        outputs, state, loop_state = loop(unwrap(cell), first_kept)
    return nest.map_leaves(lambda *items: TensorArray(items=items), *outputs), state, loop_state


_NAMES = "static_rnn static_state_saving_rnn static_bidirectional_rnn dynamic_rnn bidirectional_dynamic_rnn"
_SCOPES = {name: "bidirectional_rnn" if "bidirectional" in name else "rnn" for name in _NAMES.split()}
#: The drivers of ``tf.nn`` by name.
DRIVERS: dict[str, Any] = {name: driver(getattr(drivers, name), scope) for name, scope in _SCOPES.items()}
DRIVERS["raw_rnn"] = raw_rnn
#: Those of ``tf.contrib.rnn``.
_STACKS = (drivers.stack_bidirectional_rnn, drivers.stack_bidirectional_dynamic_rnn)
STACKED = {stack.__name__: driver(stack, "stack_bidirectional_rnn") for stack in _STACKS}
