"""Variables: the core's Parameters under names that end in ``:0``, in collections, scopes and reuse as TensorFlow 1 has them.

A Parameter holds the first value; what a variable holds later is the Session's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import numpy as np

from unroll import initializers, scopes
from unroll.checks import check_size
from unroll.dimensions import shape_text
from unroll.errors import ArgumentError, ArgumentTypeError, NameClashError, NameNotFoundError, ShapeError
from unroll.ops import identity
from unroll.parameter import Parameter
from unroll.tensor import Tensor as Core
from unroll.tensor import constant as core_constant
from unroll.tf1.dtypes import DType, as_dtype
from unroll.tf1.first_values import TABLE, Initializer
from unroll.tf1.graphs import Effect, GraphKeys, get_default_graph, node_path
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import Operation, Tensor, group, named, tensor_of, unwrap

#: A variable that is not there yet is made.
AUTO_REUSE = Enum("_ReuseMode", "AUTO_REUSE").AUTO_REUSE  # type: ignore[attr-defined]


class VariableScope:
    """What ``get_variable`` does under one path: whether it finds variables or makes them, and how those begin."""

    def __init__(self, reuse: Any, name: str = "", initializer: Any = None, dtype: Any = "float32") -> None:
        self.reuse, self.name, self.initializer, self.dtype = reuse, name, initializer, as_dtype(dtype)
        self.original_name_scope = f"{name}/" if name else ""

    def reuse_variables(self) -> None:
        """Find variables from here on."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Let variables begin so that have no initialiser of their own."""
        self.initializer = initializer


_VARIABLE = (
    "self, initial_value=None, trainable=True, collections=None, validate_shape=True, caching_device=None, name=None, "
    "variable_def=None, dtype=None, expected_shape=None, import_scope=None, constraint=None, use_resource=None, "
    "synchronization=0, aggregation=0, shape=None"
)


class Variable(Tensor):
    """A variable, named by the name scope that it is made in; ``get_variable`` makes one that can be shared.

    Raises:
        ArgumentTypeError: no first value is given.
        ShapeError: its shape is not known.
    """

    @takes("Variable", _VARIABLE)
    def __init__(self, initial_value: Any, trainable: bool, collections: Any, name: Any, dtype: Any) -> None:
        if initial_value is None:
            raise ArgumentTypeError("tf.Variable: initial_value must be specified: a tensor, an array or a number")
        first = tensor_of(initial_value() if callable(initial_value) else initial_value, dtype)
        path = get_default_graph().scoped_name(name or "Variable")
        with scopes.at("", node_path()):
            self._take(Parameter(_zeros(first, path), path), first, trainable, collections)

    def _take(self, parameter: Parameter, first: Core | None, trainable: bool, collections: Any = None) -> None:
        graph = get_default_graph()
        super().__init__(parameter, f"{parameter.name}:0", graph)
        #: What gives the first value.
        self.first, self.trainable = core_constant(parameter.value) if first is None else first, trainable
        keys = [*(collections or [GraphKeys.GLOBAL_VARIABLES]), *([GraphKeys.TRAINABLE_VARIABLES] if trainable else [])]
        for key in keys:
            graph.add_to_collection(key, self)

    @classmethod
    def of(cls, parameter: Parameter, first: Core | None, trainable: bool = True, collections: Any = None) -> Variable:
        """Return a Parameter as a variable that can be shared; it holds its first value itself where `first` is None."""
        made = cls.__new__(cls)
        made._take(parameter, first, trainable, collections)
        made.graph.variables[str(parameter.name)] = made
        made.graph.unique_name(str(parameter.name))
        return made

    @property
    def dtype(self) -> DType:
        """The dtype, which prints as ``float32_ref``."""
        return DType(self.core.dtype, is_ref=True)

    @property
    def initial_value(self) -> Any:
        """The first value, as a tensor."""
        return named(self.first, get_default_graph().scoped_name("initial_value"))

    def initialized_value(self) -> Any:
        """Return the first value, for another variable to begin with."""
        return self.initial_value

    @property
    def initializer(self) -> Operation:
        """Gives it its first value."""
        return Operation(f"{self.op.name}/Assign", self.graph, [Effect(self.core, self.first)])

    def read_value(self) -> Tensor:
        """Return the value as a tensor."""
        return named(identity(unwrap(self)), get_default_graph().scoped_name("read"))  # type: ignore[no-any-return]

    value = read_value

    def eval(self, session: Any = None) -> Any:  # type: ignore[override]  # as TensorFlow has it
        """Return what the variable holds in a session, the default one unless one is given."""
        return super().eval(session=session)

    def load(self, value: Any, session: Any = None) -> None:
        """Give the variable a value in a session, the default one unless one is given."""
        assign(self, value).eval(session=session)

    __str__ = Tensor.__repr__


def _zeros(first: Core, name: str) -> Any:
    if not all(isinstance(size, int) for size in first.shape):
        raise ShapeError(f"initial_value of {name} must have a shape specified: {shape_text(first.shape)} is not known")
    return np.zeros(first.shape, first.dtype)


def _assigning(called: str, operation: str, rest: str, new: Callable[[Core, Core], Core]) -> Callable[..., Any]:
    """Return a function of a variable and a value that gives it the new value of both where the result is run.

    The method of that name, whose value is called ``delta`` where it is added, is it too.
    """

    def assign_to(ref: Any, value: Any = None, name: Any = None, delta: Any = None) -> Any:
        if not isinstance(ref, Variable):
            raise ArgumentTypeError(f"{called}: {ref!r} is no tf.Variable, and only those can be assigned")
        operand = tensor_of(delta if value is None else value, ref.core.dtype)
        value, path = new(unwrap(ref), operand), name or operation
        if value.rank != ref.core.rank or not ref.shape.is_compatible_with(value.shape):
            wanted = f"{shape_text(value.shape)} was given, {shape_text(ref.core.shape)} is wanted"
            raise ShapeError(f"{path} to {ref.name}: {wanted}")
        core = identity(value)
        found = named(core, get_default_graph().scoped_name(path))
        ref.graph.effects[core] = (*ref.graph.after, Effect(ref.core, core))
        return found

    more = "use_locking=False, name=None, read_value=True"
    method = takes(f"Variable.{called}", f"ref, {'value' if called == 'assign' else 'delta'}, {more}")(assign_to)
    setattr(Variable, called, method)
    return takes(called, f"ref, value, {rest}use_locking=None, name=None")(assign_to)


assign = _assigning("assign", "Assign", "validate_shape=None, ", lambda ref, value: value)
assign_add = _assigning("assign_add", "AssignAdd", "", lambda ref, value: ref + value)
assign_sub = _assigning("assign_sub", "AssignSub", "", lambda ref, value: ref - value)

# -- scopes -----------------------------------------------------------------------------------------------------------


def get_variable_scope() -> VariableScope:
    """Return the variable scope in force."""
    graph, path = get_default_graph(), scopes.current().variables
    graph.scope = graph.scope or VariableScope(False)
    if graph.scope.name == path:
        return graph.scope  # type: ignore[no-any-return]
    return VariableScope(graph.scope.reuse, path, graph.scope.initializer)  # a driver's, or a cell's


@contextmanager
def within(scope: VariableScope, again: bool = False) -> Iterator[VariableScope]:
    """Let a scope be in force, and give it; names of layers in it are numbered from the start, those beside it as if it had
    not been entered where it is entered `again`.
    """
    graph = get_default_graph()
    before = dict(graph.entered)
    graph.entered[scope.name] = graph.entered.get(scope.name, 0) + 1
    graph.scope, outer = scope, graph.scope
    try:
        yield scope
    finally:
        graph.scope = outer
        inner = {path: 0 for path in graph.entered if path.startswith(f"{scope.name}/")}
        graph.entered = before if again else {**graph.entered, **inner}


def numbered(default_name: str) -> str:
    """Return a name for a layer under the scope in force, with a number behind it where one of that name is there."""
    graph, found, count = get_default_graph(), default_name, 0
    while graph.entered.get(scopes.join(scopes.current().variables, found)):
        count += 1
        found = f"{default_name}_{count}"
    return found


@contextmanager
def entered(name_or_scope: Any, default_name: Any = None, initializer: Any = None, reuse: Any = None, dtype: Any = None,
            auxiliary_name_scope: bool = True) -> Iterator[VariableScope]:  # fmt: skip
    """Enter a variable scope, and give it; see `variable_scope`.

    Raises:
        ArgumentTypeError: neither a name nor a scope.
    """
    graph, before = get_default_graph(), get_variable_scope()
    is_scope = isinstance(name_or_scope, VariableScope)
    if not is_scope and not isinstance(default_name if name_or_scope is None else name_or_scope, str):
        raise ArgumentTypeError(f"variable_scope: {name_or_scope!r} is neither a name nor a scope")
    if not isinstance(reuse, (bool, type(AUTO_REUSE), type(None))):
        raise ArgumentTypeError(f"variable_scope: reuse is {reuse!r}; True, None or tf.AUTO_REUSE is wanted")
    given = name_or_scope if is_scope else before
    name: Any = numbered(default_name) if name_or_scope is None else name_or_scope
    last = name.name.rpartition("/")[2] if is_scope else name
    path = name_or_scope.name if is_scope else scopes.join(before.name, last)
    first = given.initializer if initializer is None else initializer
    made = VariableScope(reuse or given.reuse or before.reuse, path, first, given.dtype if dtype is None else dtype)
    nodes = graph.scoped_name(last) if last and auxiliary_name_scope else node_path()
    made.original_name_scope = f"{nodes}/" if nodes else ""
    with within(made, is_scope), scopes.at(path, nodes, first.core if isinstance(first, Initializer) else None):
        yield made


variable_scope = takes(
    "variable_scope",
    "name_or_scope, default_name=None, values=None, initializer=None, regularizer=None, caching_device=None, partitioner=None, "
    "custom_getter=None, reuse=None, dtype=None, use_resource=None, constraint=None, auxiliary_name_scope=True",
)(entered)


def shared(name: str, shape: Any) -> Variable | None:
    """Return the variable of a full name that the scope in force finds; None where one is to be made.

    Raises:
        NameClashError: there is one, and the scope makes variables.
        NameNotFoundError: there is none, and the scope finds variables.
        ShapeError: it has another shape.
    """
    found: Variable | None = get_default_graph().variables.get(name)
    later, reuse = bool(scopes.current().step), get_variable_scope().reuse
    if found is not None and not reuse and not later:
        raise NameClashError(
            f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
        )
    if found is None and reuse is True and not later:
        fix = "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
        raise NameNotFoundError(f"Variable {name} does not exist, or was not created with tf.get_variable(). {fix}")
    if found is not None and shape is not None and tuple(shape) != found.core.shape:
        both = f"specified shape {shape_text(tuple(shape))} and found shape {shape_text(found.core.shape)}"
        raise ShapeError(f"Trying to share variable {name}, but {both}")
    return found


@takes(
    "get_variable",
    "name, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True, collections=None, caching_device=None, "
    "partitioner=None, validate_shape=True, use_resource=None, custom_getter=None, constraint=None, synchronization=0, "
    "aggregation=0",
)
def get_variable(name: str, shape: Any, dtype: Any, initializer: Any, trainable: Any, collections: Any) -> Variable:
    """Return the variable of a name under the variable scope in force: a new one, or with reuse the one that is there.

    Raises:
        ArgumentError: there is no shape.
    """
    scope, full = get_variable_scope(), scopes.join(scopes.current().variables, scopes.check_name(name, "get_variable"))
    plain = unwrap(shape)
    listed = plain if isinstance(plain, (list, tuple)) else [plain]
    sizes = None if plain is None else [check_size(size, f"get_variable {full}: shape", least=0) for size in listed]
    found = shared(full, sizes)
    if found is not None:
        return found
    kind = (scope.dtype if dtype is None else as_dtype(dtype)).dtype
    first = scope.initializer if initializer is None else initializer
    uncalled = isinstance(first, type) or any(first is make and "_init" in name for name, make in TABLE.items())
    first = first() if uncalled else first
    first = Initializer(initializers.get_initializer(first, full), kind) if isinstance(first, str) else first
    if sizes is None and (first is None or callable(first)):
        raise ArgumentError(f"Variable {full} did not get an initializer, so its `shape` argument must be specified.")
    if first is None or isinstance(first, Initializer):
        default = initializers.GLOROT_UNIFORM if kind.kind == "f" else TABLE["zeros_initializer"]().core
        array = (default if first is None else first.core)(tuple(sizes or ()), kind, full, get_default_graph().seed)
        return Variable.of(Parameter(array, name), None, trainable is not False, collections)
    tensor = tensor_of(first(sizes, dtype=DType(kind)) if callable(first) else first, None if dtype is None else kind)
    return Variable.of(Parameter(_zeros(tensor, full), name), tensor, trainable is not False, collections)


# -- collections ------------------------------------------------------------------------------------------------------


def _collected(called: str, key: str) -> Callable[..., list[Variable]]:
    return takes(called, "scope=None")(lambda scope: get_default_graph().get_collection(key, scope))


global_variables = _collected("global_variables", GraphKeys.GLOBAL_VARIABLES)
trainable_variables = _collected("trainable_variables", GraphKeys.TRAINABLE_VARIABLES)
local_variables = _collected("local_variables", GraphKeys.LOCAL_VARIABLES)


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """Return an operation that gives variables their first values.

    Raises:
        ArgumentTypeError: `var_list` is no list of variables.
    """
    if not isinstance(var_list, (list, tuple)) or not all(isinstance(item, Variable) for item in var_list):
        raise ArgumentTypeError(f"variables_initializer: var_list is {var_list!r}; a list of variables is wanted")
    return group(*(variable.initializer for variable in var_list), name=name)


def global_variables_initializer() -> Operation:
    """Return an operation that gives every variable made so far its first value."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """Return an operation that gives the local variables their first values."""
    return variables_initializer(local_variables())


def tables_initializer(name: str = "init_all_tables") -> Operation:
    """Return an operation that does nothing: there are no tables here."""
    return variables_initializer([], name)


all_variables, initialize_all_variables = global_variables, global_variables_initializer
