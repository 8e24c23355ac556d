"""Reading an ONNX model as a Graph: our operators where they say the same, and nodes that pass through where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto

from unroll.arguments import checked
from unroll.dimensions import Requirement, solve
from unroll.errors import warn
from unroll.export.reading.binding import bound_model
from unroll.export.reading.graph_reader import GraphReader
from unroll.export.reading.loading import load_model
from unroll.export.verifying import foreign_operators
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.opaque import set_hook
from unroll.passes.unrolling.planner import folded

# Here, where the first operator that is none of ours comes from.
set_hook(foreign_operators.compute)


@checked()
def from_onnx(
    model: ModelProto | str | Path,
    *,
    dims: Mapping[str, int] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Graph:
    """Read an ONNX model as a Graph.

    Operators of ours become ours whatever their opset; a node that they cannot express passes through untouched, and
    `to_onnx` writes it again. Nodes and tensors keep their names. A floating initializer becomes a Parameter of its name,
    unless it is a single number of no axes, which becomes a Constant, as initializers of other dtypes do.

    Args:
        model: an ``onnx.ModelProto``, or the path of an ``.onnx`` file; opset 7 to the newest that the installed onnx knows.
            Weights may lie in other files in the folder of the file, and nowhere else.
        dims: sizes of symbols of the inputs by name, such as ``{"time": 28}``; a size that has no name is called
            ``<input>_<axis>``. They are put into the file before its shapes are inferred, and what follows from them is
            computed: constants, sizes, and which branch of an If is taken.
        values: inputs by name that are fixed, such as ``{"sr": 16000}``, likewise; the graph has them no more.

    Returns:
        The graph: the model's inputs (those without an initializer) and outputs, in order and by name. Symbolic sizes
        stay symbols by their names; one that has none becomes ``<input>_<axis>``. Sizes that the operators need to be
        equal become one symbol. An output that is an unchanged input gets a name of its own.

    Warns:
        UnrollWarning: a node breaks ONNX's own rules, so that runtimes refuse the model; it is read all the same, so
            that it can be inspected.

    Raises:
        ArgumentTypeError: neither a model nor a path, or `dims` or `values` are no dicts by name.
        ArgumentError: `dims` or `values` hold a name that no symbol or input has; the message lists those there are.
        FileError: the file cannot be read.
        ModelError: it is no valid ONNX model, is larger than 2 GiB, or a tensor has a dtype that tensors here cannot
            have, or no known rank; or it declares something impossible (see `unroll.export.reading.bounds`), such as
            data outside its folder, or functions that grow without end. The message names the node or tensor.
        ShapeError: the operators need sizes to be equal that are not; a size that is not known is taken not to be 1, so
            that it never broadcasts. A value has another shape than its input.
        DTypeError: a value is of another kind than its input.
        UnsupportedError: the opset is not one of these, the weights of a ModelProto lie in other files, or a node that
            passes through has no known form in opset 13, the oldest that is written.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> path = unroll.save(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), "tanh.onnx")
        >>> unroll.from_onnx(path)
        Graph(x (batch, 3) -> y (batch, 3); 1 nodes)
        >>> unroll.from_onnx(path, dims={"batch": 2})
        Graph(x (2, 3) -> y (2, 3); 1 nodes)
    """
    proto = load_model(model)
    graph, broken = read_model_graph(bound_model(proto, dims, values), bool(dims or values))
    if broken:
        warn(broken)
    return folded(graph) if dims or values else graph


def read_graph(model: ModelProto | str | Path) -> tuple[Graph, str]:
    """Return what `from_onnx` does, and which nodes break ONNX's own rules, in words; empty for none."""
    return read_model_graph(load_model(model))


def read_bound(
    model: ModelProto | str | Path, dims: Mapping[str, int] | None, values: Mapping[str, Any] | None, what: str
) -> tuple[Graph, str]:
    """Return what `read_graph` does of a model with sizes and inputs fixed; see `bound_model` for what it raises."""
    return read_model_graph(bound_model(load_model(model), dims, values, what), True)


def read_model_graph(proto: ModelProto, binds: bool = False) -> tuple[Graph, str]:
    """Return what `read_graph` does of a model that was loaded with `load_model`; `binds` where sizes or values were given."""
    with collector_paused():
        reader = GraphReader(proto, {}, binds=binds)
        graph = reader.read()
        equal = solve(item for item in graph.requirements if isinstance(item, Requirement)).values
        if (
            equal
        ):  # a converter gives each input a batch of its own: read with one symbol, the steps of a network are alike
            reader = GraphReader(proto, equal, binds=binds)
            graph = reader.read()
    return graph, _broken(reader.invalid)


def _broken(invalid: Sequence[str]) -> str:
    if not invalid:
        return ""
    more = f"; and {len(invalid) - 3} more nodes" if len(invalid) > 3 else ""
    return f"the model breaks ONNX's rules, and runtimes refuse to run it: {'; '.join(invalid[:3])}{more}"
