"""The cells of ``tf.nn.rnn_cell`` and ``tf.contrib.rnn``: the core's, whose weights are variables of the default graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from unroll import cells, nest, scopes
from unroll.cells.rnn_cell import RNNCell as CoreCell
from unroll.cells.rnn_cell import agreed
from unroll.initializers import RandomInitializer
from unroll.ops.given_sizes import int64
from unroll.parameter import Parameter
from unroll.tensor import Tensor as Core
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.tensors import lifted, translated, unwrap
from unroll.tf1.variables import Variable, VariableScope, get_variable_scope, numbered, shared, within

#: Methods that a program may define, which the core calls.
DEFINED = ("call", "__call__", "initialize", "sample", "next_inputs", "step", "score")


class OfThisFace:
    """What an object of this face does besides what its class in the core does: its weights are variables."""

    def __init_subclass__(cls, **options: Any) -> None:
        for method in DEFINED:
            if method in vars(cls) and not cls.__module__.startswith("unroll."):
                setattr(cls, method, translated(vars(cls)[method]))
        super().__init_subclass__(**options)

    def _add_weight(self, name: str, *args: Any, **options: Any) -> Parameter:
        """Return a weight: a variable that is there where the scope in force finds those, else a new one."""
        made: dict[str, Parameter] = self._weights  # type: ignore[attr-defined]
        is_known, now = name in made, scopes.current()
        found = None if is_known else shared(scopes.join(now.variables, name), None)
        if found is not None:
            made[name] = found.core
        with scopes.at(now.variables, now.nodes, seed=get_default_graph().seed):
            parameter: Parameter = super()._add_weight(name, *args, **options)  # type: ignore[misc]
        if not is_known and found is None:
            Variable.of(parameter, None, getattr(self, "trainable", True))
        return parameter

    @property
    def variables(self) -> list[Any]:
        """The variables made so far."""
        return [get_default_graph().proxies[item] for item in self.weights.values()]  # type: ignore[attr-defined]

    trainable_variables = trainable_weights = variables


class Cell(OfThisFace):
    """What every cell of this face does besides what its class in the core does."""

    _reuse: Any = None
    _scope: str | None = None

    def __init__(self, *args: Any, reuse: Any = None, **kwargs: Any) -> None:
        self._reuse = kwargs.pop("_reuse", reuse)  # as cells of one's own hand it on
        super().__init__(*map(_for_core, unwrap(args)), **for_core(kwargs))

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Trace one step: ``(inputs, state) -> (output, new_state)``."""
        inputs, state = unwrap((inputs, state))
        name = scope.name.rpartition("/")[2] if isinstance(scope, VariableScope) else scope
        return lifted(super().__call__)(of_one_batch(inputs, state), state, name)  # type: ignore[misc]  # of the core's class

    def call_checked(self, inputs: Any, state: Any) -> Any:
        """Trace one step from a state that was checked, as drivers do."""
        return super().call_checked(inputs, state)  # type: ignore[misc]

    def zero_state(self, batch_size: Any, dtype: Any = "float32") -> Any:
        """Return a state of zeros for a batch size, an int or a tensor of it."""
        size = unwrap(batch_size)
        return lifted(super().zero_state)(int64(size) if isinstance(size, Core) else size, dtype)  # type: ignore[misc]

    def add_variable(self, name: str, shape: Any, dtype: Any = None, initializer: Any = None, **options: Any) -> Any:
        """Return a variable of the cell, made when it is first asked for."""
        sizes, first, kind = list(map(int, unwrap(shape))), unwrap(initializer), unwrap(dtype)
        made = self.add_weight(name, sizes, first, dtype=kind)  # type: ignore[attr-defined]
        return get_default_graph().proxies[made]

    @contextmanager
    def _entered(self, scope: str | None = None) -> Iterator[None]:
        """Enter the cell's scope: under the name of its first call, which is numbered where another has it."""
        called, is_first, outer = self._called, self._scope is None, get_variable_scope()  # type: ignore[attr-defined]
        self._scope = self._scope or scope or (called if self._reuse else numbered(called))
        name, reuse = scope or self._scope, outer.reuse or self._reuse or not is_first
        path = scopes.join(scopes.current().variables, name)
        with within(VariableScope(reuse, path, outer.initializer)), scopes.in_cell(name):
            yield


def of_one_batch(inputs: Any, state: Any, axis: int = 0) -> Any:
    """Return inputs whose batch is that of a state, where that is a number and theirs is not known: a run must have it.

    Args:
        inputs: a nest of tensors.
        state: a nest of tensors, or None.
        axis: the batch's axis of the inputs.
    """
    sizes = [leaf.shape[0] for leaf in nest.flatten(state) if isinstance(leaf, Core) and leaf.rank > 1]
    if not sizes or not isinstance(sizes[0], int):
        return inputs

    def fitted(x: Any) -> Any:
        if not isinstance(x, Core) or x.rank <= axis + (x.dtype.kind == "f"):
            return x
        return agreed(x, (*x.shape[:axis], sizes[0], *x.shape[axis + 1 :]), "the state's batch")

    return nest.map_leaves(fitted, inputs)


def for_core(given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments of a constructor as the core's class takes them: functions of tensors get the core's."""
    return {name: item if name == "self" else _for_core(item) for name, item in unwrap(given).items()}


def _for_core(value: Any) -> Any:
    as_it_is = isinstance(value, (type, CoreCell, RandomInitializer)) or not hasattr(value, "__name__")
    return value if as_it_is or not callable(value) else translated(value)


def of_this_face(kind: Any, base: type = Cell, **members: Any) -> Any:
    """Return a class of the core as one of this face."""
    return type(kind.__name__, (base, kind), {"__module__": __name__, "__doc__": kind.__doc__, **members})


#: The cells by name.
TABLE: dict[str, Any] = {
    name: of_this_face(kind) if issubclass(kind, CoreCell) else kind
    for name in cells.__all__
    if (kind := getattr(cells, name)) not in (cells.RNNCellLike, cells.TensorShape)
}
#: Those of ``tf.nn.rnn_cell``; the others were in ``tf.contrib.rnn`` alone.
_NN = "BasicLSTMCell BasicRNNCell DeviceWrapper DropoutWrapper GRUCell LSTMCell LSTMStateTuple MultiRNNCell RNNCell"
IN_NN = {name: TABLE[name] for name in (*_NN.split(), "ResidualWrapper")}
