"""What operators that run graphs have in common: those graphs, what they read of the graph around them, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from unroll.checks import shown
from unroll.dimensions import Dimension, substitute, symbol
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from unroll.evaluator import evaluate
from unroll.ops.operator import Operator, Requirements, listed
from unroll.structure import Structure
from unroll.tensor import Tensor


class WithBodies(Operator, abstract=True):
    """An operator that runs graphs: what they read of the graph around them are inputs, the last ones of the node.

    ONNX writes those as names of the graph outside. Each body has them as its last inputs.
    """

    @property
    def num_shared(self) -> int:
        """How many of the last inputs are handed to each body as they are."""
        raise NotImplementedError(f"{type(self).__name__}.num_shared")

    @property
    def bodies(self) -> tuple[Structure, ...]:
        return tuple(body for _, body in self.named_bodies())

    @property
    def attributes(self) -> dict[str, Any]:
        """ONNX's attributes: what the bodies imply is none."""
        return {name: value for name, value in super().attributes.items() if name not in ("num_shared", "declared")}

    def named_bodies(self) -> Iterator[tuple[str, Structure]]:
        """Yield the bodies by the names of the attributes in which they are."""
        yield from ((name, value) for name, value in self.attributes.items() if isinstance(value, Structure))

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name} of {len(body.nodes)} nodes' for name, body in self.named_bodies())})"


def run_body(body: Structure, arrays: Iterable[Array], wide: bool) -> list[Array]:
    """Return what a body makes of arrays for its inputs."""
    feeds = dict(zip((tensor.name for tensor in body.inputs), arrays, strict=True))
    return evaluate(body, feeds, body.outputs, wide=wide)


def require_alike(require: Requirements, body: Structure, tensors: Sequence[Tensor], first: int, what: str) -> None:
    """Require tensors to have the shapes of the inputs of a body, from a place on.

    Raises:
        ShapeError: one has another rank, or a size that provably differs.
    """
    for inner, tensor in zip(body.inputs[first:], tensors, strict=True):
        if len(inner.shape) != len(tensor.shape):
            raise ShapeError(f"{tensor.described()} gives {inner.described()} of {what} another rank")
        for axis, (left, right) in enumerate(zip(inner.shape, tensor.shape, strict=True)):
            require.equal(left, right, f"axis {axis} of {inner.name!r} in {what}")


def flops_of(body: Structure, inputs: Sequence[Sequence[int] | None]) -> int:
    """Count the operations of one run of a body, from the shapes of its inputs; a size that these do not decide is taken for
    1.
    """
    told: dict[str, int] = {}
    for inner, sizes in zip(body.inputs, inputs, strict=True):
        for dim, size in zip(inner.shape, sizes or (), strict=False):
            if isinstance(dim, Dimension) and dim == symbol(str(dim)):
                told[str(dim)] = size

    def sizes_of(tensor: Tensor) -> list[int]:
        dims = [dim if isinstance(dim, int) else substitute(dim, told) for dim in tensor.shape]
        return [dim if isinstance(dim, int) else 1 for dim in dims]

    total = 0
    for node in body.nodes:
        read = [None if tensor is None else sizes_of(tensor) for tensor in node.inputs]
        total += node.op.flops(read, [sizes_of(tensor) for tensor in node.outputs])
    return total


def checked_body(body: object, what: str) -> Structure:
    """Return a body, once it is known to be a graph that reads nothing but its inputs.

    Raises:
        ArgumentTypeError: it is no Graph.
        ArgumentError: it reads Parameters itself.
    """
    if not isinstance(body, Structure):
        raise ArgumentTypeError(f"{what} is {shown(body)}; a Graph is wanted")
    if body.parameters:
        raise ArgumentError(f"{what} reads {', '.join(body.parameters)} itself; hand Parameters in as shared")
    return body


def checked_tensors(groups: Mapping[str, object], what: str) -> list[list[Tensor]]:
    """Return lists of tensors.

    Raises:
        ArgumentTypeError: one is no list of tensors.
    """
    found: list[list[Tensor]] = []
    for name, group in groups.items():
        items = list(listed(group, f"{what}: {name}"))
        strange = next((item for item in items if not isinstance(item, Tensor)), None)
        if strange is not None or not all(isinstance(item, Tensor) for item in items):
            raise ArgumentTypeError(f"{what}: {shown(strange)} is no tensor")
        found.append(items)
    return found


def check_dtypes(pairs: Iterable[tuple[Tensor, Tensor]], what: str) -> None:
    """Refuse tensors of other dtypes than what they come in the place of.

    Args:
        pairs: a tensor of a body, and the other.
        what: the operator.

    Raises:
        DTypeError: two differ.
    """
    for inner, other in pairs:
        if inner.dtype != other.dtype:
            raise DTypeError(f"{what}: {other.described()} does not fit {inner.described()} of the body")


def check_is(tensor: object, dtype: DType, what: str) -> None:
    """Refuse what is no tensor of a dtype; None is left out.

    Raises:
        ArgumentTypeError, DTypeError: it is not.
    """
    if tensor is not None and not isinstance(tensor, Tensor):
        raise ArgumentTypeError(f"{what} is {shown(tensor)}, which is no tensor")
    if tensor is not None and tensor.dtype != dtype:
        raise DTypeError(f"{what} is {tensor.described()}; {dtype} is wanted")
