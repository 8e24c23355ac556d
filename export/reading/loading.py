"""A model from a file or from memory, checked before anything is read of it: by ONNX's rules, and by what ends runtimes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import ModelProto
from onnx.inliner import inline_local_functions

from unroll.errors import ArgumentTypeError, ModelError, first_line
from unroll.export.guards.aborting_nodes import check_nodes
from unroll.export.guards.trial_load import try_load
from unroll.export.light_copies import for_checking
from unroll.export.node_walk import all_nodes
from unroll.export.reading.bounds import check_bounds, read_model, title_of
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN
from unroll.files import as_path


def load_model(model: ModelProto | str | Path) -> ModelProto:
    """Return a model (that of a file, where a path is given), checked.

    Raises:
        ArgumentTypeError: neither a model nor a path.
        FileError, ModelError, UnsupportedError: it cannot be read; see `from_onnx`.
    """
    if isinstance(model, ModelProto):
        what, found = "from_onnx", model
        check_bounds(model, what)
    elif isinstance(model, (str, Path)):
        path = as_path(model, "from_onnx")
        what, found = str(path), read_model(path, whole=True)
    else:
        raise ArgumentTypeError(f"from_onnx: an onnx.ModelProto or a path is wanted, not {type(model).__name__}")
    check_nodes(found, what)
    found = _under_short_name(found)
    with _as_model_errors(what):
        onnx.checker.check_model(for_checking(found))
    try_load(found, what, as_path(model, "from_onnx") if isinstance(model, (str, Path)) else None)
    with _as_model_errors(what):
        if found.functions:
            found = inline_local_functions(found)
            onnx.checker.check_model(for_checking(found))  # an attribute that the call leaves out is missing only now
    _check_references(found, what)
    return found


def _under_short_name(model: ModelProto) -> ModelProto:
    """Return a model that imports ONNX's own operators by the empty name, without which onnx 1.17 to 1.20 do not find them."""
    domains = {item.domain for item in model.opset_import}
    if "" in domains or domains.isdisjoint(ONNX_DOMAIN):
        return model
    found = ModelProto()
    found.CopyFrom(model)
    for item in found.opset_import:
        item.domain = "" if item.domain in ONNX_DOMAIN else item.domain
    return found


def _check_references(model: ModelProto, what: str) -> None:
    """Refuse attributes that refer to those of a function where there is none, which onnx's checker lets through."""
    for node in all_nodes(model):
        for attribute in node.attribute:
            if attribute.ref_attr_name:
                raise ModelError(
                    f"{what}: attribute {attribute.name!r} of {title_of(node)} refers to the attribute "
                    f"{attribute.ref_attr_name!r} of a function, and stands in none"
                )


@contextmanager
def _as_model_errors(what: str) -> Iterator[None]:
    """Turn errors of onnx's native code, which share no base class, into a `ModelError`."""
    try:
        yield
    except Exception as error:
        raise ModelError(f"{what}: not a valid ONNX model: {first_line(error)}") from None
