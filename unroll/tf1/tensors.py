"""Tensors as TensorFlow 1's programs see them: proxies over the core's, with a name that ends in ``:0``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from unroll import nest, scopes
from unroll.cells.rnn_cell import agreed
from unroll.dtypes import as_array
from unroll.errors import ArgumentTypeError, ShapeError
from unroll.signs import Signs
from unroll.tensor import LARGEST_KNOWN
from unroll.tensor import Tensor as Core
from unroll.tensor import constant as core_constant
from unroll.tf1.dtypes import DType, as_dtype
from unroll.tf1.graphs import Effect, Graph, chosen_session, get_default_graph, node_path
from unroll.tf1.shapes import Dimension, TensorShape
from unroll.tf1.signatures import takes
from unroll.words import missing, public_names

#: What ``a + b`` calls, by the name of the core's function: filled by `unroll.tf1.operators`.
SIGNS: dict[str, Callable[..., Any]] = {}


class Stand:
    """What stands for something of the core's, its attribute `core`."""

    core: Any


class Tensor(Signs["Tensor"], Stand):
    """A tensor of a graph, which has a value only in a run. One that the program gave no shape is taken for a number."""

    def __init__(self, core: Core, name: str, graph: Graph, unknown: bool = False) -> None:
        self.core, self.name, self.graph, self._unknown = core, name, graph, unknown
        graph.tensors[name] = self
        graph.proxies.setdefault(core, self)
        if graph.after and core.node is not None:
            graph.effects[core] = graph.after

    @staticmethod
    def _compute(name: str, *operands: Any) -> Tensor:
        found: Tensor = SIGNS[name](*operands)
        return found

    @property
    def shape(self) -> TensorShape:
        """The shape, ``(?, 13)`` where the batch is not known."""
        return TensorShape(None if self._unknown else self.core.shape)

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Say sizes that are not known; a run must have them.

        Raises:
            ShapeError: they are others than those that are known.
        """
        wanted = TensorShape(shape)
        if not wanted.is_compatible_with(self.shape) or len(wanted) != self.core.rank:
            raise ShapeError(f"{self.name}.set_shape: {wanted} does not fit {self.shape}")
        pairs = zip(self.core.shape, wanted, strict=True)
        sizes = tuple(mine if size.core is None else size.core for mine, size in pairs)
        self.core = agreed(self.core, sizes, f"{self.name}.set_shape")

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return DType(self.core.dtype)

    @property
    def op(self) -> Operation:
        """What makes it."""
        return Operation(self.name.rpartition(":")[0], self.graph, self.graph.effects.get(self.core, ()), [self])

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Return the value in a session, the default one unless one is given."""
        return chosen_session(session, f"tensor {self.name}").run(self, feed_dict)

    __array_ufunc__ = None  # so that ``array + tensor`` asks the tensor
    __eq__, __hash__ = object.__eq__, object.__hash__

    def _no_value(self, *unused: Any, **also: Any) -> NoReturn:
        raise ArgumentTypeError(
            f"{self!r} has no value before a run, and is no Python bool, number, list or array: sess.run(tensor) gives it, "
            "tf.cond and tf.where choose by it, tf.unstack(tensor, axis) cuts it"
        )

    __bool__ = __iter__ = __len__ = __array__ = __int__ = __float__ = _no_value

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            advice = {"numpy": "it is sess.run(tensor)", "assign": "only a tf.Variable can be assigned"}
            raise missing(f"{type(self).__name__!r} object", name, lambda: public_names(self), lambda: advice)

    def __str__(self) -> str:
        shape = "" if self._unknown else f", shape={self.shape}"
        return f'Tensor("{self.name}"{shape}, dtype={self.dtype.name})'

    def __repr__(self) -> str:
        kind = "Variable" if self.dtype.name.endswith("_ref") else "Tensor"
        return f"<tf.{kind} {self.name!r} shape={self.shape} dtype={self.dtype.name}>"


class Operation:
    """What makes tensors, or gives variables values: its name, the graph, what a run of it changes, and what it makes."""

    def __init__(self, name: str, graph: Graph, effects: Sequence[Effect] = (), outputs: Sequence[Tensor] = ()) -> None:
        self.name, self.graph, self.effects, self.outputs = name, graph, tuple(effects), list(outputs)
        node = self.outputs[0].core.node if outputs else None
        #: The operator's name in ONNX; NoOp where nothing is made.
        self.type = "NoOp" if node is None else node.op.name

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run it in a session, the default one unless one is given."""
        chosen_session(session, f"operation {self.name}").run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


# -- between this face and the core -----------------------------------------------------------------------------------


def _unwrapped(leaf: Any) -> Any:
    if isinstance(leaf, Tensor) and leaf.graph.after:  # within control dependencies a variable has its new value
        return next((item.value for item in reversed(leaf.graph.after) if item.parameter is leaf.core), leaf.core)
    if isinstance(leaf, (Stand, Dimension)):
        return leaf.core
    if isinstance(leaf, DType):
        return leaf.dtype
    if isinstance(leaf, slice):
        return slice(*map(_unwrapped, (leaf.start, leaf.stop, leaf.step)))
    return list(map(_unwrapped, leaf)) if isinstance(leaf, TensorShape) else leaf


def unwrap(value: Any) -> Any:
    """Return what the core takes in the place of proxies, dtypes and shapes of this face, in any nest."""
    return nest.map_leaves(_unwrapped, value)


def proxy_of(core: Core) -> Tensor:
    """Return the proxy of a tensor of the core: the one there is, or one named by where the tensor comes from."""
    graph, node = get_default_graph(), core.node
    if core in graph.proxies:
        return graph.proxies[core]  # type: ignore[no-any-return]
    if node is None:
        return Tensor(core, f"{graph.scoped_name(core.hint or 'Const')}:0", graph)
    path = scopes.without_step(node.origin.scope, node.origin.step, node.origin.cell)
    return Tensor(core, f"{graph.unique_name(scopes.join(path, node.op.name))}:0", graph)


def wrap(value: Any) -> Any:
    """Return proxies in the place of the core's tensors, in any nest."""
    return nest.map_leaves(lambda leaf: proxy_of(leaf) if isinstance(leaf, Core) else leaf, value)


def named(result: Any, base: str) -> Any:
    """Return what an operator made as proxies under one name: ``base:0``, ``base:1``."""
    graph = get_default_graph()
    if isinstance(result, Core):
        if result.node is not None and result not in graph.proxies:
            result.hint = base.removeprefix(node_path()).lstrip("/")
        return Tensor(result, f"{base}:0", graph)
    places = enumerate(nest.flatten(result))
    return nest.pack(result, [Tensor(item, f"{base}:{place}", graph) for place, item in places])


def tensor_of(value: Any, dtype: Any = None) -> Core:
    """Return a value as a tensor of the core, of the dtype that TensorFlow would give it: Python's ints are int32."""
    value = unwrap(value)
    if isinstance(value, Core):
        return value
    if any(isinstance(leaf, Core) for leaf in nest.flatten(value)):
        return SIGNS["stack"](value)  # type: ignore[no-any-return]
    found = as_array(value, "convert_to_tensor")
    if dtype is None and not isinstance(value, (np.ndarray, np.generic)):
        dtype = {"f": np.float32, "i": np.int32}.get(found.dtype.kind)
    made = core_constant(found, None if dtype is None else as_dtype(dtype).dtype)
    if made.dtype == np.int32 and made.rank <= 1 and found.size <= LARGEST_KNOWN:  # a size, as TensorFlow has them
        made.known = tuple(made.value.tolist()) if made.rank else made.value.item()
    return made


#: Whether the core is at work: what it calls gets its tensors, and returns such.
_in_core: ContextVar[bool] = ContextVar("unroll_tf1_in_core", default=False)


def _crossing(function: Callable[..., Any], is_cores: bool) -> Callable[..., Any]:
    inward, outward = (unwrap, wrap) if is_cores else (wrap, unwrap)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _in_core.get() is is_cores:
            return function(*args, **kwargs)
        args, kwargs, token = inward(args), inward(kwargs), _in_core.set(is_cores)
        try:
            found = function(*args, **kwargs)
        finally:
            _in_core.reset(token)
        return outward(found)

    return call


def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the core that takes and returns proxies, which are named by the nodes that they come from."""
    return _crossing(function, True)


def translated(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function, or method, that was written with proxies as one that the core can call too."""
    return _crossing(function, False)


def effects_of(item: Any) -> tuple[Effect, ...]:
    """Return which variables a run of an operation, or a tensor, changes.

    Raises:
        ArgumentTypeError: it is neither.
    """
    if not isinstance(item, (Operation, Tensor)):
        raise ArgumentTypeError(f"{item!r} is neither a tensor nor an operation of tf")
    return (item if isinstance(item, Operation) else item.op).effects


def group(*inputs: Any, name: str | None = None) -> Operation:
    """Return an operation that runs all of some operations and tensors."""
    graph, items = get_default_graph(), nest.flatten(inputs)
    effects = [effect for item in items for effect in effects_of(item)]
    return Operation(graph.scoped_name("group_deps" if name is None else name), graph, effects)


def no_op(name: str | None = None) -> Operation:
    """Return an operation that does nothing."""
    return group(name="NoOp" if name is None else name)


@takes("control_dependencies", "control_inputs")
@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Let what is made inside happen after some operations: it reads the values that they give variables."""
    graph = get_default_graph()
    before = graph.after
    items = () if control_inputs is None else nest.flatten(control_inputs)
    graph.after = (*before, *(effect for item in items for effect in effects_of(item)))
    try:
        yield
    finally:
        graph.after = before
