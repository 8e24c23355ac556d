"""What an operator is: ONNX's name and attributes, a signature, a shape rule and a NumPy meaning, in one class.

To add an operator, write one subclass of `Operator` and the function that calls it, side by side in a module of this
package. Tracing, evaluation, export, random graphs and the support table find it in `OPERATORS`. CONTRIBUTING.md lists the
places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import lru_cache
from math import prod
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from unroll import scopes
from unroll.checks import check_int, plain, shown
from unroll.dimensions import (
    Condition,
    Dim,
    Dimension,
    Least,
    Limit,
    Requirement,
    Shape,
    fits,
    is_never_zero,
    shape_text,
)
from unroll.dtypes import INT64, Array, DType, cast_array, widened
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from unroll.tensor import LARGEST_KNOWN, Constant, Known, Node, Tensor, TensorLike, array_dtype

#: A shape in which some sizes are not known, not even as symbols.
OpenShape: TypeAlias = tuple[Dim | None, ...]

#: How many axes a NumPy array can have.
MOST_AXES = 64
#: Every operator by (domain, name).
OPERATORS: dict[tuple[str, str], type[Operator]] = {}


class Slot(NamedTuple):
    """One input of a signature."""

    name: str
    type: str
    optional: bool
    variadic: bool


class Signature:
    """An operator's inputs and outputs in ONNX's words, such as ``"A: T, B: T, C: T? -> Y: T"``.

    A type is a variable (given its dtypes as a keyword) or a dtype; ``?`` marks an optional input, ``*`` a variadic one.
    """

    def __init__(self, text: str, **types: Sequence[DType]) -> None:
        before, after = text.split("->")
        self.text = text
        self.slots = tuple(
            Slot(name, kind, mark == "?", mark == "*")
            for name, kind, mark in re.findall(r"(\w+): (\w+)([?*]?)", before)
        )
        self.outputs = tuple(re.findall(r"\w+: (\w+)", after))
        literal = {kind for kind in (*(slot.type for slot in self.slots), *self.outputs) if kind not in types}
        self.types: dict[str, tuple[DType, ...]] = {name: tuple(dtypes) for name, dtypes in types.items()}
        self.types |= {kind: (np.dtype(kind),) for kind in literal}
        self.least = sum(not slot.optional for slot in self.slots)
        self.variadic = any(slot.variadic for slot in self.slots)


class Requirements:
    """Collects the equalities of dimensions that a shape rule asks for, and refuses those that cannot hold."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Requirement | Least] = []

    def equal(self, left: Dim, right: Dim, what: str) -> Dim:
        """Require two dimensions to be equal, and return the one that says more.

        Raises:
            ShapeError: they provably differ.
        """
        if left == right:
            return left
        if is_never_zero(left - right):
            raise ShapeError(f"{what}: {left} and {right} must be equal")
        self.found.append(Requirement(left, right, f"{scopes.user_line()}: {what}"))
        return left if isinstance(left, int) else right

    def at_least(self, size: Dim, least: int, what: str) -> None:
        """Require a size that only a run knows to be no smaller than a number."""
        if not isinstance(size, int):
            self.found.append(Least(size, least, f"{scopes.user_line()}: {what}"))

    def broadcast(self, *shapes: Shape) -> Shape:
        """Return the shape that NumPy's broadcasting gives; a dimension that is not known is taken not to be 1.

        Raises:
            ShapeError: two dimensions provably differ and neither is 1.
        """
        first = shapes[0]
        if shapes.count(first) == len(shapes):
            return first
        rank = max(map(len, shapes))
        result: list[Dim] = []
        for axis in range(-rank, 0):
            size: Dim = 1
            for shape in shapes:
                dim = shape[axis] if len(shape) >= -axis else 1
                if dim != 1:
                    size = dim if size == 1 else self.equal(size, dim, f"broadcasting on axis {axis}")
            result.append(size)
        return tuple(result)


class Operator:
    """An operator with its attributes: a frozen dataclass whose fields are ONNX's attributes.

    Subclasses set `signature` and define `shapes` and `evaluate`; `dtypes` and `known` have defaults.

    Example:
        The sine; the evaluator, the exporter and the pictures take it from here:

        >>> from unroll.ops.operator import OPERATORS, Signature
        >>> class Sin(ops.Operator):
        ...     signature = Signature("X: T -> Y: T", T=[np.dtype("float32")])
        ...
        ...     def shapes(self, require, x):
        ...         return [x.shape]
        ...
        ...     def evaluate(self, x):
        ...         return np.sin(x)
        >>> x = unroll.placeholder([1], name="x")
        >>> unroll.Graph([x], {"y": ops.apply_one(Sin(), x)}).run({x: [0]})
        {'y': array([0.], dtype=float32)}
        >>> del OPERATORS["", "Sin"]
    """

    domain: ClassVar[str] = ""
    name: ClassVar[str] = ""
    signature: ClassVar[Signature]
    #: Floating-point operations for each element of the outputs; 0 where elements are only moved or made.
    work: ClassVar[int] = 1
    #: Whether `evaluate` takes arrays of the tensors' own dtypes only, and not wider ones.
    narrow: ClassVar[bool] = False
    #: The shapes that a file says of the outputs, for where the rule needs sizes that only a run computes.
    told: tuple[Shape, ...] = ()

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not abstract:
            cls.name = cls.__name__.rstrip("_")
            OPERATORS[cls.domain, cls.name] = cls

    def shapes(self, require: Requirements, *inputs: Any) -> list[Shape]:
        """Return the shape of each output from the input tensors (None for one left out).

        Raises:
            ShapeError: the inputs do not fit; the caller adds the operator's and the tensors' names.
            UnsupportedError: they are valid, and the operator is not computed on them here.
        """
        raise NotImplementedError(f"{type(self).__name__}.shapes")

    def shapes_or_told(self, require: Requirements, *inputs: Any) -> list[Shape]:
        """Return the shape of each output, that which a file says where the rule needs sizes that only a run computes.

        Raises:
            ShapeError: as `shapes`.
        """
        try:
            return self.shapes(require, *inputs)
        except NotKnownError:
            if not self.told:
                raise
            return list(self.told)

    def open_shapes(self, *inputs: Any) -> list[OpenShape] | None:
        """Return the shapes where only a run computes what the rule needs: None for each size that follows from that.

        None where not even the number of axes is known.
        """
        return None

    def with_told(self, shapes: Sequence[Shape]) -> Operator:
        """Return this operator with what a file says of its outputs."""
        found = copy(self)
        object.__setattr__(found, "told", tuple(shapes))
        return found

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        """Return the dtype of each output from those bound to the signature's type variables."""
        return [types[kind] if kind in types else self.signature.types[kind][0] for kind in self.signature.outputs]

    def evaluate(self, *arrays: Any) -> Array | Sequence[Array]:
        """Compute the outputs with NumPy: one array, or a sequence of them."""
        raise NotImplementedError(f"{type(self).__name__}.evaluate")

    def evaluate_wide(self, *arrays: Any, most_steps: int | None = None) -> Array | Sequence[Array]:
        """Compute the outputs as `evaluate` does, with everything of a floating dtype in float64.

        Args:
            arrays: the inputs, the floating ones in float64.
            most_steps: how many steps of a loop are computed at most, spread over all; see `unroll.evaluator.evaluate`.

        Returns:
            One array, or a sequence of them; the floating ones in float64.
        """
        results = self.evaluate(*arrays)
        return [widened(np.asarray(item)) for item in (results if isinstance(results, (list, tuple)) else (results,))]

    def known(self, *inputs: Any) -> Known:
        """Return the symbolic value of the output where the input tensors tell it: see `Tensor.known`."""
        return None

    def known_value(self, inputs: Sequence[Any], dtype: DType) -> Known:
        """Return what `known` says of an output of a dtype; None where that is long, or a run may wrap it round."""
        value = self.known(*inputs)
        items = value if isinstance(value, tuple) else (value,)
        if len(items) > LARGEST_KNOWN or not all(item is None or fits(item, 8 * dtype.itemsize) for item in items):
            return None
        return value

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        """Return about how many floating-point operations a run takes, from the inputs' and outputs' shapes as numbers.

        A function such as tanh counts as one.
        """
        return self.work * sum(map(prod, outputs))

    @property
    def bodies(self) -> tuple[Any, ...]:
        """The graphs that it runs, each an `unroll.structure.Structure`: those in its attributes, in their order."""
        return ()

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes by ONNX's names, those that are None left out."""
        fields: Iterable[str] = getattr(self, "__dataclass_fields__", ())
        return {name: value for name in fields if (value := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.attributes.items())
        return f"{self.name}({inner})"


def apply(op: Operator, *arguments: TensorLike | None, requirements: Iterable[Condition] = ()) -> tuple[Tensor, ...]:
    """Call an operator: check its inputs, infer shapes and dtypes, and return its outputs as tensors of a new Node.

    Args:
        op: the operator.
        arguments: a tensor each; None for an optional one left out; anything else becomes a constant of the dtype
            that the operator's other inputs give it.
        requirements: what else must hold, besides what the operator's shape rule asks for.

    Returns:
        The outputs, in the order of the operator's signature.

    Raises:
        DTypeError: a dtype the operator does not take, or two that must be equal and differ.
        ShapeError: shapes that do not fit.
        ArgumentTypeError: too few or too many inputs.

    Example:
        >>> from unroll.ops.joining import Split
        >>> first, second = ops.apply(Split(axis=0), unroll.placeholder([5], name="x"), [2, 3])
        >>> first.shape, second.shape
        ((2,), (3,))
    """
    if type(requirements) is not tuple:
        requirements = _checked(requirements)
    inputs, types = _bind(op, arguments)
    try:
        return _node(op, inputs, types, scopes.current().provenance, requirements).outputs
    except ShapeError as error:
        raise ShapeError(f"{op.name}: {error}{_seen(op, inputs)}") from None


def _checked(requirements: Any) -> tuple[Condition, ...]:
    found = tuple(listed(requirements, "requirements"))
    if not all(isinstance(item, (Requirement, Limit, Least)) for item in found):
        raise ArgumentTypeError(f"requirements are {shown(requirements)}; a list of Requirements and Limits is wanted")
    return found


def made(
    op: Operator, inputs: Sequence[Tensor | None], provenance: frozenset[scopes.Origin], hint: str | None = None
) -> tuple[Tensor, ...]:
    """Return the outputs of a new Node whose inputs are known to fit, as those are that a pass writes.

    Args:
        op: the operator.
        inputs: a tensor each, of dtypes that the operator takes; None for an optional one left out.
        provenance: where the node came from.
        hint: what its outputs should be called.

    Raises:
        ShapeError: shapes that do not fit.
    """
    # Inputs beyond the slots are more of a variadic one, and inputs left out at the end have no slot's type to say.
    pairs = zip(op.signature.slots, inputs, strict=False)
    types = {slot.type: tensor.dtype for slot, tensor in pairs if tensor is not None}
    outputs = _node(op, tuple(inputs), types, provenance).outputs
    if hint is not None:
        for tensor in outputs:
            tensor.hint = hint
    return outputs


def _node(
    op: Operator,
    inputs: tuple[Tensor | None, ...],
    types: Mapping[str, DType],
    provenance: frozenset[scopes.Origin],
    requirements: Iterable[Condition] = (),
) -> Node:
    """Return a new node: its shapes, dtypes and requirements are what the operator's own rules say."""
    require = Requirements()
    shapes = op.shapes_or_told(require, *inputs)
    dtypes = op.dtypes(types)
    if len(dtypes) < len(shapes):
        dtypes = dtypes * len(shapes)
    return Node(op, inputs, shapes, dtypes, provenance, (*require.found, *requirements))


def apply_one(op: Operator, *arguments: TensorLike | None, requirements: Iterable[Condition] = ()) -> Tensor:
    """Call an operator of one output and return it; see `apply`.

    Args:
        op: the operator.
        arguments: as `apply`.
        requirements: as `apply`.

    Returns:
        The output.

    Raises:
        DTypeError, ShapeError, ArgumentTypeError: as `apply`.

    Example:
        >>> from unroll.ops.functions import Elu
        >>> ops.apply_one(Elu(alpha=2.0), unroll.placeholder([None, 3], name="x")).shape
        (batch, 3)
    """
    return apply(op, *arguments, requirements=requirements)[0]


def _slots(op: Operator, count: int) -> Sequence[Slot]:
    signature = op.signature
    if signature.variadic:
        return [signature.slots[0]] * count
    return signature.slots[:count]


def _bind(op: Operator, arguments: tuple[TensorLike | None, ...]) -> tuple[tuple[Tensor | None, ...], dict[str, DType]]:
    if not isinstance(op, Operator):
        raise ArgumentTypeError(
            f"apply: {shown(op)} is no operator; an object of a class in unroll.ops.OPERATORS is wanted"
        )
    signature = op.signature
    count = len(arguments)
    if count < signature.least or (count > len(signature.slots) and not signature.variadic):
        raise ArgumentTypeError(f"{op.name} takes ({signature.text}); {count} inputs were given")
    types: dict[str, DType] = {}
    others = False
    slots = _slots(op, count)
    for slot, argument in zip(slots, arguments, strict=True):
        if isinstance(argument, Tensor):
            dtype = argument.dtype
            if types.setdefault(slot.type, dtype) is not dtype or dtype not in signature.types[slot.type]:
                _check_type(op, slot, argument, types, arguments)
        else:
            others = True
    if not others:
        return arguments, types  # type: ignore[return-value]  # Tensors, all of them
    inputs: list[Tensor | None] = []
    for slot, argument in zip(slots, arguments, strict=True):  # by now the tensors have decided the dtype of a number
        if argument is None and not slot.optional:
            raise ArgumentTypeError(f"{op.name}: input {slot.name} is None; a tensor is wanted")
        if argument is not None and not isinstance(argument, Tensor):
            argument = _as_constant(op, slot, argument, types)
        inputs.append(argument)
    while inputs and inputs[-1] is None:
        inputs.pop()
    return tuple(inputs), types


def _check_type(
    op: Operator, slot: Slot, tensor: Tensor, types: dict[str, DType], arguments: tuple[TensorLike | None, ...]
) -> None:
    allowed = op.signature.types[slot.type]
    if tensor.dtype not in allowed:
        raise DTypeError(
            f"{op.name}: input {slot.name} is {tensor.described()}, but {op.name} takes "
            f"{', '.join(map(str, allowed))} there; convert it with unroll.ops.cast(x, dtype)"
        )
    bound = types.setdefault(slot.type, tensor.dtype)
    if bound != tensor.dtype:
        first = next(arg for arg in arguments if isinstance(arg, Tensor) and arg.dtype == bound)
        raise DTypeError(
            f"{op.name}: {first.described()} and {tensor.described()} must have one dtype; "
            "give both the same dtype when you make them, or convert one with unroll.ops.cast(x, dtype)"
        )


def _as_constant(op: Operator, slot: Slot, value: Any, types: dict[str, DType]) -> Constant:
    allowed = op.signature.types[slot.type]
    dtype = types.get(slot.type) or (allowed[0] if len(allowed) == 1 else None)
    what = f"{op.name}: input {slot.name}"
    if isinstance(value, (list, tuple)) and any(isinstance(item, Tensor) for item in value):
        raise ArgumentTypeError(f"{what} is a {type(value).__name__} of tensors; join them with unroll.ops.stack first")
    if dtype is None:
        dtype = array_dtype(value, None, what)
        if slot.type not in op.signature.types or dtype not in allowed:
            raise DTypeError(f"{what}: {dtype} is not one of {', '.join(map(str, allowed))}")
        types[slot.type] = dtype
    if type(value) in (int, float):
        return _scalar(value, type(value).__name__, dtype, what)
    return Constant(np.array(cast_array(value, dtype, what)))


@lru_cache(maxsize=1024)
def _scalar(value: float, kind: str, dtype: DType, what: str) -> Constant:
    """Return one constant for all uses of a number: the same forget bias at every step."""
    return Constant(np.array(cast_array(value, dtype, what)))


def _seen(op: Operator, inputs: Sequence[Tensor | None]) -> str:
    parts = [
        f"{slot.name} = {tensor.described()}"
        for slot, tensor in zip(_slots(op, len(inputs)), inputs, strict=True)
        if tensor is not None
    ]
    return f" (seen: {', '.join(parts)})"


# -- helpers for shape rules ------------------------------------------------------------------------------------------


def axis_of(axis: int, rank: int, what: str = "axis") -> int:
    """Return `axis` counted from the front.

    Raises:
        ArgumentTypeError: it is not an int.
        ShapeError: it is outside -rank .. rank - 1.
    """
    found = plain(axis)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ArgumentTypeError(f"{what} {shown(axis)} is not an int")
    if not -rank <= found < rank:
        raise ShapeError(f"{what} {axis} is outside a tensor of rank {rank}; use {-rank} to {rank - 1}")
    return found % rank


def axes_of(axis: int | Sequence[int], rank: int, what: str) -> list[int]:
    """Return an axis, or several, counted from the front.

    Raises:
        ArgumentTypeError: neither an int nor a list of ints.
        ShapeError: one is outside -rank .. rank - 1.
    """
    several: Any = axis.tolist() if isinstance(axis, np.ndarray) else axis
    return [axis_of(item, rank, what) for item in (several if isinstance(several, (list, tuple, range)) else [several])]


def as_tensor(x: TensorLike, what: str) -> Tensor:
    """Return a tensor as it is, and anything else as a constant.

    Raises:
        DTypeError, ShapeError: it cannot become one.
    """
    return x if isinstance(x, Tensor) else Constant(np.array(cast_array(x, array_dtype(x, None, what), what)))


def rank_of(x: TensorLike) -> int:
    """Return the rank of a tensor, or of what would become a constant.

    Raises:
        ShapeError: a ragged list.
    """
    if isinstance(x, Tensor):
        return x.rank
    try:
        return int(np.ndim(x))
    except ValueError:
        raise ShapeError(f"{shown(x)} is no array; give every row the same length") from None


class NotKnownError(ShapeError):
    """A shape rule needs sizes that only a run computes."""


def known_vector(tensor: Tensor, what: str) -> tuple[Dim, ...]:
    """Return the dimensions that an integer vector holds, which must be known while tracing.

    Raises:
        ShapeError: it is no vector, or depends on values that only a run has.
    """
    if tensor.rank != 1:
        raise ShapeError(f"{what} must be a vector, not {tensor.described()}")
    if not isinstance(tensor.known, tuple):
        raise NotKnownError(f"{what} must be known while tracing, and {tensor.described()} is not; give a list of ints")
    return tensor.known


def length_of(vector: Tensor | None) -> int | None:
    """Return how many elements a vector has, where that can be a number of axes."""
    size = vector.shape[0] if vector is not None and vector.rank == 1 else None
    return size if isinstance(size, int) and 0 < size <= MOST_AXES else None


def known_shape(tensor: Tensor, what: str) -> tuple[Dim, ...]:
    """Return the dimensions of a shape that an integer vector holds.

    Raises:
        ShapeError: the vector is not known while tracing, or is longer than arrays can have axes.
    """
    dims = known_vector(tensor, what)
    if len(dims) > MOST_AXES:
        raise ShapeError(f"{what} has {len(dims)} axes; there can be {MOST_AXES}")
    return dims


def known_ints(tensor: Tensor | None, what: str) -> tuple[int, ...] | None:
    """Return the ints that an integer vector holds, or None for one left out.

    Raises:
        ShapeError: the vector is not known while tracing, or holds symbolic dimensions.
    """
    if tensor is None:
        return None
    dims = known_vector(tensor, what)
    if not all(isinstance(dim, int) for dim in dims):
        raise NotKnownError(f"{what} must be plain ints, not {shape_text(dims)}")
    return tuple(int(dim) for dim in dims)


def listed(values: Any, what: str) -> list[Any]:
    """Return a list, tuple or vector as a list.

    Raises:
        ArgumentTypeError: it is none.
    """
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, (list, tuple, range)):
        raise ArgumentTypeError(f"{what} is {shown(values)} of type {type(values).__name__}; a list is wanted")
    return list(values)


_FROM_A_TENSOR = "a size that only a run knows is read from a tensor that has it: unroll.ops.shape(x)"


def int_vector(values: Sequence[Dim] | Dim | Tensor, what: str = "list of ints", fix: str = _FROM_A_TENSOR) -> Tensor:
    """Return a list of ints, or one, as an int64 constant; a tensor stays what it is.

    Args:
        values: the ints.
        what: what they are, for messages.
        fix: what to write in the place of a size that is not known.

    Raises:
        ArgumentTypeError, ArgumentError, DTypeError, ShapeError: they are no ints; sizes that are not known are none.
    """
    if isinstance(values, Tensor):
        return values
    entries = [values] if isinstance(plain(values), (int, Dimension)) else listed(values, what)
    for place, entry in enumerate(entries):
        if type(entry) is int:
            continue
        if entry is None or isinstance(entry, Dimension):
            size = "None" if entry is None else f"the symbol {entry}"
            raise ShapeError(f"{what}: entry {place} is {size}, which is no number; {fix}")
        check_int(entry, f"{what}: entry {place}")
    return Constant(np.array(cast_array([plain(entry) for entry in entries], INT64, what)))


def float_attribute(op: Operator, *names: str) -> None:
    """Round float attributes to float32, as ONNX stores them, so that every runner computes with the same number.

    Raises:
        ArgumentTypeError: one is not a number.
    """
    for name in names:
        value = plain(getattr(op, name))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ArgumentTypeError(f"{op.name}: {name}={shown(value)} is not a number")
        object.__setattr__(op, name, float(np.float32(value)))


def flag_attribute(op: Operator, *names: str) -> None:
    """Store boolean attributes as ONNX's 0 and 1.

    Raises:
        ArgumentError: one is neither True nor False, nor 0 or 1.
    """
    for name in names:
        value = plain(getattr(op, name))
        if not isinstance(value, int) or value not in (0, 1):
            raise ArgumentError(f"{op.name}: {name}={shown(value)} is neither True nor False")
        object.__setattr__(op, name, int(value))
