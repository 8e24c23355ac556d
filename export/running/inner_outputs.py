"""A file's inner tensors as outputs: what any runner computes can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto, ValueInfoProto

from unroll.errors import NameNotFoundError
from unroll.export.reading.loading import load_model
from unroll.export.running.session import Session
from unroll.export.running.snapshots import among
from unroll.words import closest


def session_with(model: ModelProto | str | Path, names: Sequence[str]) -> Session:
    """Return a Session that gives the tensors named, on the bytes of the model as they are.

    Args:
        model: the model, or its path.
        names: tensors of its main graph: outputs of nodes, inputs or weights; with or without TensorFlow's ``:0``.

    Returns:
        The session; its outputs are the tensors asked for, each under the name that it was asked by.

    Raises:
        NameNotFoundError: there is no such tensor.
        FileError, ModelError, UnsupportedError: the model cannot be read or run; see `Session`.
    """
    found = ModelProto()
    found.CopyFrom(load_model(model))
    graph = found.graph
    tensors = {name: None for node in graph.node for name in node.output if name}
    tensors |= {item.name: None for item in (*graph.input, *graph.initializer)}
    wanted = [_among(name, tensors) for name in names]
    known = {item.name: item for item in (*graph.output, *graph.input)}
    del graph.output[:]
    graph.output.extend(known.get(name, ValueInfoProto(name=name)) for name in dict.fromkeys(wanted))
    return Session(found)


def _among(name: str, tensors: dict[str, None]) -> str:
    found = among(name, tensors)
    if found is not None:
        return found
    raise NameNotFoundError(f"{name!r} is no tensor of the model; {closest(name, tensors)}")
