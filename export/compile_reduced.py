"""Models in fewer bits: int8 weights and float16, by the tools that come with onnxruntime."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto

from unroll.errors import FileError, UnsupportedError
from unroll.export.bits import checked_bits
from unroll.export.node_walk import all_nodes, is_native

#: What onnxruntime's tool makes of a product by constant weights.
_INT8_PRODUCTS = frozenset(["ConvInteger", "DynamicQuantizeLSTM", "MatMulInteger"])
_FLOATS = {TensorProto.FLOAT16: "float16", TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"}
#: Products that it leaves as they are.
_NOT_QUANTIZED = frozenset(["GRU", "RNN"])


def reduction(dtype: object, quantize: object) -> Callable[[ModelProto], ModelProto] | None:
    """Return the function that reduces a model to fewer bits; None where neither is asked for.

    Raises:
        ArgumentError: there is no such dtype or quantisation, or both are asked for.
    """
    bits = checked_bits(dtype, quantize, "compile")
    return None if bits is None else to_int8 if bits == "int8" else to_float16


def to_float16(model: ModelProto) -> ModelProto:
    """Return a model that computes in float16; inputs and outputs stay as they are.

    Half the bytes. On a CPU, onnxruntime has few kernels for float16 and casts around the others, so that it is seldom faster.

    Raises:
        UnsupportedError: onnxruntime's converter fails on the model, or nothing in the model is float32.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16  # seconds to import

    copy = ModelProto()
    copy.CopyFrom(model)
    with _quietly("float16"):
        found: ModelProto = convert_float_to_float16(copy, keep_io_types=True, disable_shape_infer=True)
    if not _has_float16(found):
        raise UnsupportedError(
            f"float16: nothing was converted: it takes the place of float32, and {_dtypes(model)}. Make the graph of float32"
        )
    return found


def to_int8(model: ModelProto) -> ModelProto:
    """Return a model whose products have int8 weights; what they are multiplied by is quantised while running.

    The tool knows the float32 operators MatMul, Gemm, Conv and LSTM with constant weights. GRU and RNN stay as they are, and so
    does what is inside functions.

    Raises:
        FileError: the temporary files that the tool takes cannot be written.
        UnsupportedError: the tool fails on the model, or finds no product to quantise.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # seconds to import

    with _quietly("int8"), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            model, path, weight_type=QuantType.QInt8, extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True}
        )
        found = onnx.load(path)
    if not any(is_native(node) and node.op_type in _INT8_PRODUCTS for node in all_nodes(found)):
        raise UnsupportedError(f"int8: no product was quantised: {_left_as_it_is(model)}")
    return found


def _left_as_it_is(model: ModelProto) -> str:
    """Return why onnxruntime's tool quantised no product of a model, and the fix."""
    kept = sorted({node.op_type for node in all_nodes(model) if is_native(node)} & _NOT_QUANTIZED)
    if not _has(model, TensorProto.FLOAT):
        return f"onnxruntime's tool knows float32, and {_dtypes(model)}. Make the graph of float32"
    if kept:
        return f"onnxruntime's tool leaves {' and '.join(kept)} as it is. Use form='unrolled' or 'scan'"
    if model.functions:
        return "onnxruntime's tool does not look into functions. Use another form"
    return "the model multiplies by no constant weights"


def _has(model: ModelProto, dtype: int) -> bool:
    """Say whether an input, an output or a weight of a model has a dtype."""
    typed = [*model.graph.input, *model.graph.output]
    kinds = {item.type.tensor_type.elem_type for item in typed} | {item.data_type for item in model.graph.initializer}
    return dtype in kinds


def _has_float16(model: ModelProto) -> bool:
    casts = (node for node in all_nodes(model) if node.op_type == "Cast")
    return _has(model, TensorProto.FLOAT16) or any(
        item.name == "to" and item.i == TensorProto.FLOAT16 for node in casts for item in node.attribute
    )


def _dtypes(model: ModelProto) -> str:
    weights = {item.data_type for item in model.graph.initializer}
    kinds = weights | {item.type.tensor_type.elem_type for item in model.graph.input}
    floats = [name for kind, name in _FLOATS.items() if kind in kinds]
    return f"the model is of {' and '.join(floats) or 'integers'}"


@contextlib.contextmanager
def _quietly(what: str):  # type: ignore[no-untyped-def]
    """Keep the tools from printing and logging, and turn what they raise into an error of ours."""
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except OSError as error:
        raise FileError(
            f"{what}: onnxruntime's tool takes temporary files, which failed: {error.strerror or error}; make room for them "
            "(TMPDIR says where)"
        ) from None
    except Exception as error:  # they raise errors of every kind
        raise UnsupportedError(
            f"{what}: onnxruntime's tool fails on this form: {type(error).__name__}: {error}"
        ) from None
    finally:
        logging.disable(logging.NOTSET)
