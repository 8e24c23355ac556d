"""The size that a file declares for a tensor, compared with the bytes that are there, before anything of that size is
made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, prod

from onnx import NodeProto, SparseTensorProto, TensorProto, numpy_helper

from unroll.errors import ModelError
from unroll.memory import check_fits
from unroll.ops.operator import MOST_AXES

#: No array has so many elements.
TOO_MANY = 2**63
#: What one ONNX file can hold.
TWO_GIB = 2**31
#: By how many bits an element takes, the types that can be read, by name: older releases of onnx lack the newest.
_NAMES: dict[int, str] = {
    128: "COMPLEX128",
    64: "INT64 DOUBLE UINT64 COMPLEX64",
    32: "FLOAT INT32 UINT32",
    16: "UINT16 INT16 FLOAT16 BFLOAT16",
    8: "UINT8 INT8 BOOL FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ FLOAT8E8M0",
    4: "UINT4 INT4 FLOAT4E2M1",
    2: "UINT2 INT2",
}
#: How many bits an element takes, by the number that stands in files.
_BITS: dict[int, int] = {
    number: bits
    for bits, names in _NAMES.items()
    for name, number in TensorProto.DataType.items()
    if name in names.split()
}
#: Where the elements of a tensor stand that has no bytes, by type; all others stand in `int32_data`.
_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.COMPLEX64: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.COMPLEX128: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.STRING: "string_data",
}
_COMPLEX = (TensorProto.COMPLEX64, TensorProto.COMPLEX128)


def size_in_bytes(tensor: TensorProto, where: str) -> int:
    """Return how many bytes a tensor takes by its shape and type.

    Raises:
        ModelError: its shape or type has no size, as that of text.
    """
    bits = _BITS.get(tensor.data_type)
    if bits is None:
        raise ModelError(f"{where} is of data type {tensor.data_type}, which has no known size")
    return (_elements(tensor.dims, where) * bits + 7) // 8


def check_tensor(tensor: TensorProto, where: str) -> None:
    """Refuse a tensor that holds more or less than its shape says.

    Raises:
        ModelError: it does; or it has a shape or type that no tensor has.
    """
    count = _elements(tensor.dims, where)
    if tensor.HasField("raw_data"):
        wanted, seen, unit = size_in_bytes(tensor, where), len(tensor.raw_data), "bytes"
    else:
        if tensor.data_type not in _BITS and tensor.data_type != TensorProto.STRING:
            raise ModelError(f"{where} is of data type {tensor.data_type}, which is not known")
        packed = max(1, 8 // _BITS.get(tensor.data_type, 8))  # so many elements stand in one number
        wanted = 2 * count if tensor.data_type in _COMPLEX else (count + packed - 1) // packed
        seen, unit = len(getattr(tensor, _FIELDS.get(tensor.data_type, "int32_data"))), "elements"
    if wanted != seen:
        shape = _listed(tensor.dims)
        raise ModelError(f"{where} does not hold what it says: {seen} {unit}, and its shape {shape} wants {wanted}")


def check_sparse(sparse: SparseTensorProto, where: str) -> None:
    """Refuse a sparse tensor that would be larger than a file once its zeros are written.

    Raises:
        ModelError: it would.
    """
    size = _elements(sparse.dims, where) * _BITS.get(sparse.values.data_type, 8) // 8
    if size >= TWO_GIB:
        raise ModelError(f"{where} is sparse, and takes {size} bytes with its zeros; there can be {TWO_GIB}")


def _elements(dims: Sequence[int], where: str) -> int:
    if len(dims) > MOST_AXES:
        raise ModelError(f"{where} has {len(dims)} axes; there can be {MOST_AXES}")
    if any(size < 0 for size in dims):
        raise ModelError(f"{where} has a negative size: {_listed(dims)}")
    return prod(dims)


def _listed(dims: Iterable[int]) -> str:
    return f"({', '.join(map(str, dims))})"


# -- what nodes make of constants ------------------------------------------------------------------------------------


def check_made(nodes: Iterable[NodeProto], weights: Iterable[TensorProto]) -> None:
    """Refuse nodes that make, of constants alone, a tensor that no memory holds: onnxruntime makes it while loading.

    Raises:
        ModelError: there is one; the message names it.
    """
    for name, (size, op_type) in bytes_made(nodes, weights).items():
        check_fits(size, f"the {op_type} that makes {name!r}", ModelError)


def bytes_made(nodes: Iterable[NodeProto], weights: Iterable[TensorProto]) -> dict[str, tuple[int, str]]:
    """Return, by name, how many bytes at least what is made of constants alone takes, and by which operator."""
    made: dict[str, tuple[int, str]] = {}
    known = {item.name: item for item in weights}
    for node in nodes:
        op_type = node.op_type
        if op_type == "Constant":
            known.update((node.output[0], item.t) for item in node.attribute if item.HasField("t") and node.output)
        elif op_type in _MADE and node.output:
            size = _MADE[op_type](node, _Constants(node, known, made))
            if size is not None:
                made[node.output[0]] = size, op_type
    return made


class _Constants:
    """The inputs of a node whose values the file holds."""

    def __init__(self, node: NodeProto, known: Mapping[str, TensorProto], made: Mapping[str, tuple[int, str]]) -> None:
        self.names, self.known, self.made = node.input, known, made

    def size(self, place: int) -> int | None:
        """Return how many bytes an input takes at least; None where a run says so."""
        tensor = self.tensor(place)
        if tensor is None:
            found = self.made.get(self.names[place]) if place < len(self.names) else None
            return None if found is None else found[0]
        return int(prod(tensor.dims)) * _BITS.get(tensor.data_type, 8) // 8

    def tensor(self, place: int) -> TensorProto | None:
        return self.known.get(self.names[place]) if place < len(self.names) else None

    def numbers(self, place: int) -> list[float] | None:
        """Return the numbers of a small input, or None where the file does not hold them, or where they are not
        numbers.
        """
        tensor = self.tensor(place)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL or tensor.data_type not in _COUNTED:
            return None
        return list(numpy_helper.to_array(tensor).flat) if prod(tensor.dims) <= MOST_AXES else None


_COUNTED = (TensorProto.INT64, TensorProto.INT32, TensorProto.INT16, TensorProto.FLOAT, TensorProto.DOUBLE)
_LEAST_BYTES = 1  # of an element whose type the file does not declare


def _of_shape(node: NodeProto, constants: _Constants) -> int | None:
    shape = constants.numbers(0)
    value = next((item.t for item in node.attribute if item.name == "value" and item.HasField("t")), None)
    bits = _BITS[TensorProto.FLOAT] if value is None else _BITS.get(value.data_type, 8)
    return None if shape is None else _volume(shape) * bits // 8


def _expanded(node: NodeProto, constants: _Constants) -> int | None:
    shape, source = constants.numbers(1), constants.tensor(0)
    bits = 8 * _LEAST_BYTES if source is None else _BITS.get(source.data_type, 8)
    return None if shape is None else _volume(shape) * bits // 8


def _tiled(node: NodeProto, constants: _Constants) -> int | None:
    repeats, size = constants.numbers(1), constants.size(0)
    return None if repeats is None else _volume(repeats) * (_LEAST_BYTES if size is None else size)


def _ranged(node: NodeProto, constants: _Constants) -> int | None:
    ends = [constants.numbers(place) for place in range(3)]
    start, limit, delta = (None if item is None or len(item) != 1 else float(item[0]) for item in ends)
    if start is None or limit is None or not delta or not all(map(isfinite, (start, limit, delta))):
        return None
    return 2 * int(max(0.0, min((limit - start) / delta, 1e30)))


def _drawn(node: NodeProto, constants: _Constants) -> int | None:
    return next((_volume(item.ints) * 2 for item in node.attribute if item.name == "shape"), None)


def _joined(node: NodeProto, constants: _Constants) -> int | None:
    sizes = [constants.size(place) for place in range(len(node.input))]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _kept(node: NodeProto, constants: _Constants) -> int | None:
    return constants.size(0)


def _shape(node: NodeProto, constants: _Constants) -> int | None:
    return 8  # of one axis; that it may be a scalar's changes nothing


def _volume(sizes: Iterable[float]) -> int:
    """Return the product of sizes; of those below 0 the node itself says what is wrong."""
    return prod(max(0, int(size)) if isfinite(size) else 0 for size in sizes)


#: How many bytes a node makes at least, where the file says so; None where only a run does.
_MADE: dict[str, Callable[[NodeProto, _Constants], int | None]] = {
    "Concat": _joined,
    "ConstantOfShape": _of_shape,
    "Expand": _expanded,
    "Identity": _kept,
    "RandomNormal": _drawn,
    "RandomUniform": _drawn,
    "Range": _ranged,
    "Reshape": _kept,
    "Shape": _shape,
    "Squeeze": _kept,
    "Tile": _tiled,
    "Unsqueeze": _kept,
}
