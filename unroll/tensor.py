"""Tensors and the nodes that make them.

A `Tensor` is one output of a `Node`, or it has no node and is a `Placeholder`, a `Constant` or a
`unroll.parameter.Parameter`. Tensors are built by calling operators and refer to what made them; there is no global graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from unroll import scopes
from unroll.bearers import Place
from unroll.checks import shown
from unroll.dimensions import Condition, Dim, Shape, parse_shape, shape_text
from unroll.dtypes import ALL, FLOAT32, INT64, INTEGERS, Array, DType, as_dtype, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, NoAttributeError, UnsupportedError
from unroll.foreign_names import FIXED, SHAPE, TENSOR
from unroll.operation_table import OPERATIONS
from unroll.signs import Signs
from unroll.words import missing, public_names, spelled

if TYPE_CHECKING:
    from unroll.ops.operator import Operator  # for types alone: nodes hold operators, which are made of tensors

#: What operators take where a tensor is wanted: anything else becomes a constant of the other operand's dtype.
TensorLike: TypeAlias = "Tensor | Array | Sequence[Any] | float | int | bool"
#: The symbolic value of an integer scalar or vector: what `Shape` returns, and what is computed from it.
Known: TypeAlias = "Dim | tuple[Dim, ...] | None"
LARGEST_KNOWN = 64


#: Attributes and methods of tensors that are not for users: what a trace knows, and numbering and passes change.
INTERNAL = frozenset(
    ("bearers", "drawn_by", "hint", "known", "left_open", "rename", "shown", "take_shape", "with_blocks")
)
#: The functions of `unroll.ops` by name.
_FUNCTIONS: dict[str, Callable[..., Tensor]] = OPERATIONS


class Node:
    """One application of an operator. Immutable, but for nodes that only `unroll.optimize` holds, between two of its passes.

    Attributes:
        op: the operator with its attributes.
        inputs: a Tensor each, or None for an optional input that is left out.
        outputs: the tensors it makes.
        provenance: every (scope, step, cell, gate) it came from; never empty.
        requirements: the equalities of dimensions its shape rule asked for, and the limits of values fed.
    """

    __slots__ = ("inputs", "op", "outputs", "provenance", "requirements")

    def __init__(
        self,
        op: Operator,
        inputs: tuple[Tensor | None, ...],
        shapes: Sequence[Shape],
        dtypes: Sequence[DType],
        provenance: frozenset[scopes.Origin],
        requirements: tuple[Condition, ...] = (),
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.provenance = provenance
        self.requirements = requirements
        if len(shapes) == 1:
            self.outputs: tuple[Tensor, ...] = (Tensor(shapes[0], dtypes[0], self),)
            if self.may_be_known:
                self.outputs[0].known = op.known_value(inputs, dtypes[0])
        else:
            pairs = enumerate(zip(shapes, dtypes, strict=True))
            self.outputs = tuple([Tensor(shape, dtype, self, index) for index, (shape, dtype) in pairs])

    def copied(self, inputs: tuple[Tensor | None, ...], provenance: frozenset[scopes.Origin]) -> Node:
        """Return a node like this one on other inputs, which give it the same shapes, and may say more of its value."""
        copy = Node.__new__(Node)
        copy.op, copy.inputs, copy.provenance, copy.requirements = self.op, inputs, provenance, self.requirements
        outputs = []
        for tensor in self.outputs:
            output = Tensor(tensor.shape, tensor.dtype, copy, tensor.index, tensor.hint)
            output.known = tensor.known
            outputs.append(output)
        copy.outputs = tuple(outputs)
        if self.may_be_known and outputs[0].known is None:
            outputs[0].known = self.op.known_value(inputs, outputs[0].dtype)
        return copy

    @property
    def may_be_known(self) -> bool:
        """Whether it makes one integer scalar or vector, whose value may be known while tracing."""
        outputs = self.outputs
        return len(outputs) == 1 and len(outputs[0].shape) < 2 and outputs[0].dtype.kind == "i"

    @property
    def origin(self) -> scopes.Origin:
        """The first origin in sorted order: the only one, unless a pass merged nodes."""
        if len(self.provenance) == 1:
            (only,) = self.provenance
            return only
        return min(self.provenance, key=_place)

    def __repr__(self) -> str:
        return f"Node({scopes.join(self.origin.scope, self.op.name)})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_copy(self)


class SymbolicShape(tuple[Dim, ...]):
    """The shape of a tensor: a tuple of ints and symbols, which says what other frameworks' names for its parts are here."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise missing("the shape of a tensor", name, lambda: public_names(self), lambda: SHAPE)


class Tensor(Signs["Tensor"]):
    """One output of a Node (or a placeholder, a constant, a Parameter): a value that exists only during a run.

    Attributes:
        shape: a tuple of ints and symbolic dimensions.
        dtype: one of float16, float32, float64, int32, int64, bool.
        node: the Node it is an output of, or None.
        index: which output of that node.
        hint: what the tensor should be called within its scope; names are made final by Graph.
        known: for integer scalars and vectors, the value as dimensions where it is known while tracing.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> y = (2 * x)[:, :2]
        >>> y.shape, y.dtype
        ((batch, 2), dtype('float32'))
    """

    __slots__ = ("__weakref__", "dtype", "hint", "index", "known", "node", "shape")
    shape: Shape
    dtype: DType
    node: Node | None
    index: int
    hint: str | None
    known: Known
    _foreign: ClassVar[Mapping[str, str]] = {}  # more names of other frameworks, and what to write

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Let ``np.stack([tensor, tensor])`` and its like build operators; see `unroll.ops.numpy_functions`."""
        return _FUNCTIONS["numpy_function"](function, args, kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Tensor:
        """Let ``array + tensor`` and its like, and ``np.tanh(tensor)``, build operators; see `unroll.ops.numpy_ufuncs`."""
        return _FUNCTIONS["numpy_ufunc"](ufunc, method, inputs, options)

    def __init__(
        self, shape: Shape, dtype: DType, node: Node | None = None, index: int = 0, hint: str | None = None
    ) -> None:
        _put_shape(self, shape if type(shape) is SymbolicShape else SymbolicShape(shape))
        _put_dtype(self, dtype)
        _put_node(self, node)
        _put_index(self, index)
        _put_hint(self, hint)
        _put_known(self, None)

    if not TYPE_CHECKING:  # for which a class with a __setattr__ has every attribute

        def __setattr__(self, name: str, value: object) -> None:
            """Set what is no part of what the tensor is.

            Raises:
                ArgumentError: it is, and there is another way.
                NoAttributeError: tensors have no such attribute.
            """
            if name in FIXED and hasattr(self, name):
                raise ArgumentError(f"{self!r}: {name} cannot be set: {FIXED[name]}")
            try:
                object.__setattr__(self, name, value)
            except AttributeError:
                raise self._missing(name) from None

    def take_shape(self, shape: Shape) -> None:
        """Say the sizes in other words, which a requirement of the node says they are equal to."""
        _put_shape(self, SymbolicShape(shape))

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in INTERNAL]

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def label(self) -> str:
        """What to call the tensor in a message: its name where it has one, else its path."""
        if self.node is None:
            return self.hint or "constant"
        return scopes.join(self.node.origin.scope, self.node.op.name if self.hint is None else self.hint)

    def described(self) -> str:
        """Return ``label (shape) dtype`` for messages."""
        return f"{self.label} {shape_text(self.shape)} {self.dtype}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.described()})"

    # -- operators ------------------------------------------------------------------------------------------------

    @staticmethod
    def _compute(name: str, *operands: Any) -> Tensor:
        return _FUNCTIONS[name](*operands)

    def __pos__(self) -> Tensor:
        return self

    def __eq__(self, other: object) -> bool:
        """Say whether both are one tensor: tensors are looked up by identity; `unroll.ops.equal` compares values.

        Raises:
            ArgumentTypeError: `other` is a number or an array, which no tensor can be: a comparison of values was meant.
        """
        if isinstance(other, (int, float, complex, np.ndarray, np.generic)):
            self._no_value("'==' and '!=' say whether two tensors are one", "build unroll.ops.equal(tensor, value)")
        return self is other

    __hash__ = object.__hash__

    def __setitem__(self, index: object, value: object) -> NoReturn:
        """Refuse ``x[0] = value``: a tensor never changes.

        Raises:
            ArgumentTypeError: always.
        """
        raise ArgumentTypeError(f"{self!r}[{shown(index)}] = ...: {self._changed_by}")

    def __delitem__(self, index: object) -> NoReturn:
        """Refuse ``del x[0]``: a tensor never changes.

        Raises:
            ArgumentTypeError: always.
        """
        raise ArgumentTypeError(f"del {self!r}[{shown(index)}]: {self._changed_by}")

    @property
    def _changed_by(self) -> str:
        """What to do instead of changing it, for messages."""
        return (
            "a tensor never changes; keep a Python list of parts and put them together with unroll.ops.stack or "
            "unroll.ops.concat, or choose elements with unroll.ops.where(condition, a, b)"
        )

    # -- what Python would do with a value, which a tensor does not have ------------------------------------------

    def __bool__(self) -> bool:
        self._no_value("its truth is not known while tracing", "choose with unroll.ops.where(condition, a, b)")

    def __len__(self) -> int:
        size = self.shape[0] if self.shape else None
        if not isinstance(size, int):
            self._no_value("its first size is not known, so it has no len()", "read tensor.shape")
        return size

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape or not isinstance(self.shape[0], int):
            self._no_value(
                "its first size is not known, so it cannot be unpacked or looped over",
                "use unroll.ops.unstack(tensor, axis) along one that is",
            )
        rows: list[Tensor] = _FUNCTIONS["unstack"](self)  # type: ignore[assignment]  # of this one function
        return iter(rows)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise self._missing(name)

    def _missing(self, name: str) -> NoAttributeError:
        """Return the error for an attribute that tensors do not have."""

        def advice() -> dict[str, str]:
            is_ours = OPERATIONS.find(name) is not None
            return {**({name: f"it is unroll.ops.{name}(tensor, ...)"} if is_ours else {}), **TENSOR, **self._foreign}

        return missing(f"{type(self).__name__!r} object", name, lambda: public_names(self), advice)

    def __format__(self, spec: str) -> str:
        if spec:
            self._no_value(f"it is not a number, which {spec!r} would write", "run the graph to get one")
        return repr(self)

    def __float__(self) -> float:
        self._no_value("it is not a number", "run the graph to get one")

    def __int__(self) -> int:
        self._no_value("it is not a number", "run the graph to get one")

    __index__ = __int__

    def __complex__(self) -> complex:
        self._no_value("it is not a number", "run the graph to get one")

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        self._no_value(
            "NumPy cannot compute with it", "use unroll.ops, or Graph(inputs, outputs).run(feeds) for its value"
        )

    def __contains__(self, item: object) -> bool:
        self._no_value("'in' has no answer", "build the comparison with unroll.ops.equal")

    def _no_value(self, seen: str, fix: str) -> NoReturn:
        raise ArgumentTypeError(f"{self!r} has no value before a run: {seen}; {fix}")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_copy(self)


# The slots as they are set while a tensor is made: past `Tensor.__setattr__`, and as fast as a slot without one.
_put_shape, _put_dtype, _put_node, _put_index, _put_hint, _put_known = (
    getattr(Tensor, name).__set__ for name in ("shape", "dtype", "node", "index", "hint", "known")
)


def _place(origin: scopes.Origin) -> tuple[int, str, str, str]:
    """Return the sort key of an origin: all its parts, because the order of a set differs from process to process."""
    step = origin.step if origin.step is not None else -1
    return (step, origin.scope, origin.cell or "", origin.gate or "")


def _refuse_copy(thing: object) -> NoReturn:
    raise UnsupportedError(
        f"{thing!r} cannot be copied or pickled: it refers to everything it was made from. "
        "Trace again for a second graph; to keep one, use unroll.save(graph, 'model.onnx')"
    )


class Placeholder(Tensor):
    """An input of a graph; made by `placeholder`."""

    __slots__ = ("bearers", "left_open", "name")
    name: str
    #: Whether nobody has called its first axis anything, so that a driver may say what that is.
    left_open: bool

    def __init__(
        self, shape: Shape, dtype: DType, name: str, bearers: tuple[Place, ...] = (), left_open: bool = False
    ) -> None:
        super().__init__(shape, dtype, hint=name)
        self.name = name
        self.bearers = bearers
        self.left_open = left_open

    def rename(self, name: str) -> None:
        """Take a final name; see `unroll.numbering`."""
        object.__setattr__(self, "name", name)
        self.hint = name


class Constant(Tensor):
    """A fixed array; made by `constant`.

    Attributes:
        value: the array, read-only.
    """

    __slots__ = ("value",)

    def __init__(self, value: Array, name: str | None = None) -> None:
        super().__init__(value.shape, value.dtype, hint=name)
        value.flags.writeable = False
        self.value = value
        if value.dtype in INTEGERS and value.ndim <= 1 and value.size <= LARGEST_KNOWN:
            listed = value.tolist()
            self.known = tuple(listed) if value.ndim else listed


def _tensorflows(dtype: Any, shape: Any, name: str = "Placeholder") -> Placeholder:
    """TensorFlow's order, with the name as a keyword."""
    return placeholder(shape, name, dtype)


@spelled(otherwise=_tensorflows)
def placeholder(
    shape: Sequence[Dim | str | None], name: str = "Placeholder", dtype: npt.DTypeLike = "float32"
) -> Placeholder:
    """Declare an input of a graph.

    Args:
        shape: one entry an axis: an int; None (the symbol ``batch`` on axis 0, unless a driver takes that axis for the time,
            and a symbol ``<name>_<axis>`` elsewhere); a string, which names a symbol; or a dimension of another tensor.
        name: the input's name, in the graph and in ONNX; two inputs of one graph need two names.
        dtype: float16, float32, float64, int32, int64 or bool.

    TensorFlow 1's order, ``placeholder(np.float32, [None, 28], name="x")``, is taken as well.

    Returns:
        A tensor to call operators and cells on.

    Raises:
        ArgumentError: the name or an entry of the shape is not valid.
        DTypeError: not a dtype of tensors.

    Example:
        >>> unroll.placeholder([None, 28, 28], name="image").shape
        (batch, 28, 28)
        >>> unroll.placeholder(["rows", "time", 13], name="x").shape
        (rows, time, 13)
    """
    if _is_dtype(shape):  # TensorFlow's order: dtype, shape, name
        shape, name, dtype = _in_our_order(shape, name, dtype)
    scopes.check_name(name, "placeholder")
    found, dtype = parse_shape(shape, name), as_dtype(dtype, f"placeholder {name!r}")
    return Placeholder(found, dtype, name, left_open=bool(found) and shape[0] is None)


def _is_dtype(shape: object) -> bool:
    """Say whether a dtype stands where the shape should: a name of one, a type or a `numpy.dtype`."""
    if isinstance(shape, str):
        return shape in map(str, ALL)
    return isinstance(shape, (type, np.dtype))


def _in_our_order(dtype: Any, shape: Any, name: Any) -> tuple[Any, Any, Any]:
    """Return the arguments of TensorFlow's ``placeholder(dtype, shape, name)`` in the order of this one.

    Raises:
        ArgumentTypeError: the shape is left out, which a fixed graph needs.
    """
    if isinstance(shape, str) or shape is None:
        raise ArgumentTypeError(
            f"placeholder: {dtype!r} stands where the shape is wanted; placeholder([None, 28], name='x', dtype='float32')"
        )
    return shape, "Placeholder" if name == "float32" else name, dtype


@spelled()
def constant(value: Any, dtype: npt.DTypeLike | None = None, name: str | None = None) -> Constant:
    """Make a fixed array a tensor.

    Args:
        value: array, nested list or number.
        dtype: the tensor's dtype; by default that of an array, float32 for Python floats and int64 for Python ints.
        name: what to call it in the graph; by default it is named by its value or its place.

    Returns:
        A tensor of the shape of `value`.

    Raises:
        ArgumentError: the name is not valid.
        DTypeError: the value is not an array of numbers, or the cast would change its kind or overflow.
        ShapeError: a nested list is ragged.

    Example:
        >>> c = unroll.constant([[1.0, 2.0]], name="c")
        >>> c.shape, c.dtype, c.value.tolist()
        ((1, 2), dtype('float32'), [[1.0, 2.0]])
    """
    if name is not None:
        scopes.check_name(name, "constant")
    what = f"constant {name!r}" if name else "constant"
    return Constant(np.array(cast_array(value, array_dtype(value, dtype, what), what)), name)


def array_dtype(value: Any, dtype: npt.DTypeLike | None, what: str) -> DType:
    """Return the dtype a tensor made from `value` has: the one asked for, the array's own, or Python's as float32/int64.

    Raises:
        DTypeError: `value` is a tensor already, or its dtype is not one of tensors.
    """
    if dtype is not None:
        return as_dtype(dtype, what)
    if isinstance(value, Tensor):
        raise DTypeError(f"{what}: {value!r} is a tensor already; give an array")
    try:
        found = np.asarray(value).dtype
    except (ValueError, TypeError):
        return FLOAT32  # the cast that follows reports what is wrong with it
    if not hasattr(value, "dtype"):
        return {"f": FLOAT32, "i": INT64, "b": found}.get(found.kind, FLOAT32)
    if found not in ALL:
        raise DTypeError(f"{what}: {found} is not a dtype of tensors; use one of {', '.join(map(str, ALL))}")
    return found


def named(tensor: Tensor, hint: str) -> Tensor:
    """Give a tensor that was just made its hint, the name within its scope (``""`` for the scope's own), and return it.

    Raises:
        ArgumentTypeError: what a user's function returned is none.
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentTypeError(
            f"{hint or 'a result'}: {shown(tensor)} is no tensor; a function of a tensor returns one"
        )
    tensor.hint = hint
    return tensor
