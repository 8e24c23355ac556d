"""Saving an ONNX model, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.message import EncodeError
from onnx import ModelProto

from unroll.arguments import checked
from unroll.errors import ArgumentTypeError, FileError, ModelError
from unroll.export.lowering import to_onnx
from unroll.files import as_path, write_bytes
from unroll.graph import Graph


@checked(options=to_onnx)
def save(graph: Graph | ModelProto, path: object, **options: Any) -> Path:
    """Write a graph (or a model) to an ``.onnx`` file.

    Args:
        graph: a Graph, or a model that `to_onnx` made.
        path: where to; an existing file is replaced only by a whole new one.
        options: those of `to_onnx`, for a Graph.

    Returns:
        The path.

    Raises:
        FileError: the suffix is not ``.onnx``, or the file cannot be written.
        ModelError: it is too large for one file.
        ArgumentTypeError: neither a Graph nor a model, or options with a model.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> path = unroll.save(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), "tanh.onnx")
        >>> path.name
        'tanh.onnx'
    """
    target = as_path(path, "save")
    if target.suffix != ".onnx":
        raise FileError(f"{target}: an ONNX model is saved as .onnx, not {target.suffix or 'without a suffix'}")
    if isinstance(graph, Graph):
        model = to_onnx(graph, **options)
    elif isinstance(graph, ModelProto):
        if options:
            raise ArgumentTypeError(f"save: {', '.join(options)} go with a Graph; this is a model already")
        model = graph
    else:
        raise ArgumentTypeError(f"save: a Graph or an onnx.ModelProto is wanted, not {type(graph).__name__}")
    try:
        data = model.SerializeToString(deterministic=True)  # so that one program always gives the same bytes
    except EncodeError:
        raise ModelError(
            f"save: the model for {target} takes more than the 2 GiB that one ONNX file can hold; write its weights beside it "
            "with onnx.save(model, path, save_as_external_data=True)"
        ) from None
    write_bytes(target, data)
    return target
