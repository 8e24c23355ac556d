"""What makes onnxruntime end the whole process, found before it is run: an error can be caught, a crash cannot.

Both seen in onnxruntime 1.31 on the CPU:

- The kernels of LSTM and GRU (and of their int8 form) abort on a tensor without elements, such as a batch of 0; that of RNN
  gives an empty result, as all other operators do.
- The optimiser `FuseFp16InitializerToFp32NodeTransformer` reads memory that is not its own where a body (of a Scan, Loop or If)
  takes a float16 weight from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onnx import ModelProto, NodeProto, TensorProto

_ABORT_ON_EMPTY = frozenset(["LSTM", "GRU", "DynamicQuantizeLSTM"])
_THEIR_DOMAINS = frozenset(["", "ai.onnx", "com.microsoft"])
_READS_BEYOND = "FuseFp16InitializerToFp32NodeTransformer"


def why_no_empty_feeds(model: ModelProto) -> str:
    """Return why a model cannot be fed an array without elements, and the fix; empty where it can."""
    found = sorted({node.op_type for node in all_nodes(model) if node.op_type in _ABORT_ON_EMPTY and is_native(node)})
    if not found:
        return ""
    return (
        f"the model holds {' and '.join(found)}, whose kernel in onnxruntime aborts the whole process on a tensor without "
        "elements. Leave out the empty batch, or write the model with form='unrolled'"
    )


def crashing_optimizers(model: ModelProto) -> list[str]:
    """Return the optimisers of onnxruntime that crash on a model."""
    halves = any(item.data_type == TensorProto.FLOAT16 for item in model.graph.initializer)
    return [_READS_BEYOND] if halves and any(next(_bodies(node), None) for node in model.graph.node) else []


def is_native(node: NodeProto) -> bool:
    """Say whether a node is an operator of ONNX or onnxruntime, and no function of the model's own."""
    return node.domain in _THEIR_DOMAINS


def all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Yield every node of a model, those of bodies and functions too."""
    waiting: list[Iterable[NodeProto]] = [model.graph.node, *(item.node for item in model.functions)]
    while waiting:
        for node in waiting.pop():
            yield node
            if node.attribute:  # most nodes of a flat graph have none
                waiting += _bodies(node)


def _bodies(node: NodeProto) -> Iterator[Iterable[NodeProto]]:
    for attribute in node.attribute:
        for body in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            yield body.node
