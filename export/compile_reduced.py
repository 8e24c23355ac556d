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
from onnx import ModelProto

from unroll.errors import ArgumentError, UnsupportedError

#: What a graph's own dtype can be replaced by, and how weights can be quantised.
DTYPES = ("float16",)
QUANTIZATIONS = ("int8",)
_FLOAT16_OPSET = 13


def reduction(dtype: object, quantize: object) -> Callable[[ModelProto], ModelProto] | None:
    """Return what makes a model one in fewer bits; None where neither is asked for.

    Raises:
        ArgumentError: there is no such dtype or quantisation, or both are asked for.
    """
    if dtype is not None and dtype not in DTYPES:
        raise ArgumentError(f"compile: dtype {dtype!r}: there is {_listed(DTYPES)}, or None for the graph's own")
    if quantize is not None and quantize not in QUANTIZATIONS:
        raise ArgumentError(f"compile: quantize {quantize!r}: there is {_listed(QUANTIZATIONS)}, or None")
    if dtype is not None and quantize is not None:
        raise ArgumentError(f"compile: dtype={dtype!r} and quantize={quantize!r} exclude one another; choose one")
    if dtype is not None:
        return to_float16
    return to_int8 if quantize is not None else None


def to_float16(model: ModelProto) -> ModelProto:
    """Return a model that computes in float16; inputs and outputs stay as they are.

    Half the bytes. On a CPU, onnxruntime has few kernels for float16 and casts around the others, so that it is seldom faster.

    Raises:
        UnsupportedError: onnxruntime's converter fails on the model.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16  # seconds to import

    copy = ModelProto()
    copy.CopyFrom(model)
    with _quietly("float16"):
        found: ModelProto = convert_float_to_float16(copy, keep_io_types=True, disable_shape_infer=True)
    return found


def to_int8(model: ModelProto) -> ModelProto:
    """Return a model whose products have int8 weights; what they are multiplied by is quantised while running.

    Raises:
        UnsupportedError: onnxruntime's tool fails on the model.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _quietly("int8"):
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            model, path, weight_type=QuantType.QInt8, extra_options={"EnableSubgraph": True, "MatMulConstBOnly": True}
        )
        return onnx.load(path)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))


@contextlib.contextmanager
def _quietly(what: str):  # type: ignore[no-untyped-def]
    """Keep the tools from printing and logging, and turn what they raise into an error of ours."""
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # they raise whatever comes up
        raise UnsupportedError(
            f"{what}: onnxruntime's tool fails on this form: {type(error).__name__}: {error}"
        ) from None
    finally:
        logging.disable(logging.NOTSET)
