"""Optimisers of onnxruntime that crash on valid models, refuse them or change their numbers: left out where they would.

Each was seen in onnxruntime 1.32.0 on the CPU, in pairs of all 63 operators that unroll has and in random triples, in every
dtype, run with and without optimisers (see tests/operator_chains.py); a session that has one of these patterns is loaded
without that optimiser, and runs a node or two more:

======================================== ================================================= =================================
optimiser                                pattern                                           what it does
======================================== ================================================= =================================
FuseReluClip                             Relu, then Clip whose least value is of another   refuses to load (upstream 11836,
                                         dtype than float32 and float16                    23116)
DivMulFusion                             1 / x times what an Identity, Cast or Dropout     leaves an input that nobody makes:
                                         passes on                                         refuses to load (32413, 32416)
MatMulScaleFusion                        MatMul beside Mul or Div by a constant that is    infinity instead of a number; in
                                         not finite, or has no finite reciprocal           float64 refuses to load
MatMulScaleFusion                        the same, in float64, by a constant that float32  rounds it to float32 (1.28, 1.29)
                                         cannot hold, or whose reciprocal it cannot
NoopElimination                          Mul or Div by, or Add or Sub of, a float64        leaves the node out: other
                                         constant that is 1 or 0 in float32 only           numbers
MatmulTransposeFusion                    MatMul of what a Transpose made, and a vector     wrong numbers, in every dtype
MatmulTransposeFusion                    the same, and a matrix, in a model that holds     reads memory that is not its own:
                                         float16 weights                                   ends the process
SkipLayerNormFusion                      LayerNormalization whose bias is left out by an   reads memory that is not its own:
                                         empty name                                        ends the process
FuseFp16InitializerToFp32NodeTransformer a body (of a Scan, Loop or If) takes a float16    reads memory that is not its own:
                                         weight from outside                               ends the process
======================================== ================================================= =================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from unroll.dtypes import Array
from unroll.export.node_walk import all_nodes, bodies, operators_of

#: What only passes its input on, and is taken out by another optimiser.
_PASS_ON = frozenset(["Identity", "Cast", "Dropout"])
_SCALES = frozenset(["Mul", "Div"])
_SUMS = frozenset(["Add", "Sub"])
_FLOATS = frozenset([TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16])
_CLIPPED = frozenset([TensorProto.FLOAT16, TensorProto.FLOAT])


def broken_optimizers(model: ModelProto) -> list[str]:
    """Return the optimisers of onnxruntime that break a model, or crash on it.

    Names may repeat from body to body; at worst one optimiser more is left out.
    """
    kinds = operators_of(model)
    found = []
    if _reads_halves_from_outside(model):
        found.append("FuseFp16InitializerToFp32NodeTransformer")
    for name, needed, one_of, breaks in _ROWS:
        if needed <= kinds and (not one_of or not one_of.isdisjoint(kinds)) and breaks(model):
            found.append(name)
    return found


def _holds_halves(model: ModelProto) -> bool:
    return any(item.data_type == TensorProto.FLOAT16 for item in model.graph.initializer)


def _reads_halves_from_outside(model: ModelProto) -> bool:
    return _holds_halves(model) and any(next(bodies(node), None) for node in model.graph.node if node.attribute)


def _leaves_out_a_bias(model: ModelProto) -> bool:
    return any(node.op_type == "LayerNormalization" and "" in node.input for node in all_nodes(model))


def _clips_a_relu(model: ModelProto) -> bool:
    nodes = list(all_nodes(model))
    made = {node.output[0] for node in nodes if node.op_type == "Relu" and node.output}
    known = {item.name for item in _constants(model) if item.data_type in _CLIPPED}
    clips = (node.input for node in nodes if node.op_type == "Clip")
    return any(names[0] in made and names[1] not in known for names in clips if len(names) > 1 and names[1])


def _divides_what_is_passed_on(model: ModelProto) -> bool:
    nodes = list(all_nodes(model))
    divided = {node.output[0] for node in nodes if node.op_type == "Div" and node.output}
    passed = {node.output[0] for node in nodes if node.op_type in _PASS_ON and node.output}
    products = (node.input for node in nodes if node.op_type == "Mul")
    return any(not divided.isdisjoint(names) and not passed.isdisjoint(names) for names in products)


def _scales_by_what_is_lost(model: ModelProto) -> bool:
    odd = {item.name for item in _constants(model) if _is_lost_in_float32(item)}
    return bool(odd) and any(node.op_type in _SCALES and not odd.isdisjoint(node.input) for node in all_nodes(model))


def _takes_a_number_for_none(model: ModelProto) -> bool:
    ones, zeros = (
        {item.name for item in _constants(model) if _is_in_float32_only(item, number)} for number in (1.0, 0.0)
    )
    return any(
        not (ones if node.op_type in _SCALES else zeros).isdisjoint(node.input)
        for node in (all_nodes(model) if ones or zeros else ())
        if node.op_type in _SCALES | _SUMS
    )


def _multiplies_what_is_transposed(model: ModelProto) -> bool:
    nodes = list(all_nodes(model))
    turned = {node.output[0] for node in nodes if node.op_type in ("Transpose", "Cast") and node.output}
    products = [node.input for node in nodes if node.op_type == "MatMul" and len(node.input) == 2]
    if _holds_halves(model):
        return any(not turned.isdisjoint(names) for names in products)
    seconds = {second for first, second in products if first in turned}
    return bool(seconds) and not seconds <= _matrices(model)


def _matrices(model: ModelProto) -> set[str]:
    """Return what has two axes or more, as a declaration or an order of axes says."""
    found = {item.name for item in _constants(model) if len(item.dims) > 1}
    for node in all_nodes(model):
        if node.op_type == "Transpose" and any(len(item.ints) > 1 for item in node.attribute):
            found.update(node.output)
    graph = model.graph
    for items in (graph.input, graph.value_info, graph.output):
        found.update(item.name for item in items if len(item.type.tensor_type.shape.dim) > 1)
    return found


def _is_in_float32_only(item: TensorProto, number: float) -> bool:
    if item.data_type != TensorProto.DOUBLE or any(size != 1 for size in item.dims):
        return False
    value = _value_of(item)
    if value is None:
        return True
    with np.errstate(all="ignore"):
        return bool((value != number).any() and (value.astype(np.float32) == number).any())


def _value_of(item: TensorProto) -> Array | None:
    """Return a constant; None for one that lies outside, which is not worth reading, or does not hold what it says.

    At worst one node more is run.
    """
    if item.data_location == TensorProto.EXTERNAL:
        return None
    try:
        return numpy_helper.to_array(item).astype(np.float64)
    except (ValueError, TypeError, KeyError):
        return None


def _is_lost_in_float32(item: TensorProto) -> bool:
    if item.data_type not in _FLOATS or any(size != 1 for size in item.dims):
        return False
    value = _value_of(item)
    if value is None:
        return True
    with np.errstate(all="ignore"):
        kept, reciprocal = value.astype(np.float32), (1 / value).astype(np.float32)
        if not (np.isfinite(kept).all() and np.isfinite(reciprocal).all()):
            return True
        return item.data_type == TensorProto.DOUBLE and bool((kept != value).any() or (reciprocal != 1 / value).any())


def _constants(model: ModelProto) -> Iterator[TensorProto]:
    """Yield the arrays of a model, by name: initializers, those of bodies too, and Constant nodes."""
    yield from model.graph.initializer
    for node in all_nodes(model):
        if node.attribute:
            for body in bodies(node):
                yield from body.initializer
            if node.op_type == "Constant" and node.output:
                for attribute in node.attribute:
                    array = TensorProto()
                    if attribute.HasField("t"):
                        array.CopyFrom(attribute.t)
                    elif attribute.name == "value_float":
                        array = numpy_helper.from_array(np.asarray(attribute.f, np.float32))
                    array.name = node.output[0]
                    yield array


#: Of each optimiser: the operators of its pattern that must all be there, those of which one must be, and a check for
#: the pattern.
_ROWS: tuple[tuple[str, frozenset[str], frozenset[str], Callable[[ModelProto], bool]], ...] = (
    ("SkipLayerNormFusion", frozenset(["LayerNormalization"]), frozenset(), _leaves_out_a_bias),
    ("FuseReluClip", frozenset(["Relu", "Clip"]), frozenset(), _clips_a_relu),
    ("DivMulFusion", frozenset(["Div", "Mul"]), _PASS_ON, _divides_what_is_passed_on),
    ("MatMulScaleFusion", frozenset(["MatMul"]), _SCALES, _scales_by_what_is_lost),
    ("NoopElimination", frozenset(), _SCALES | _SUMS, _takes_a_number_for_none),
    ("MatmulTransposeFusion", frozenset(["MatMul", "Transpose"]), frozenset(), _multiplies_what_is_transposed),
)
