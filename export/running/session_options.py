"""How onnxruntime is set up for a model: what its size and operators call for.

A flat graph is slow to load for three reasons, each of which is met here. Measured in onnxruntime 1.31, in fresh processes:
CPU seconds of creating a session (medians of three), BasicLSTMCell(13) over T steps cut from one tensor and stacked again,
16 nodes a step as it was traced and 10 optimised:

========================================= ============== ============== ============== ==============
setting                                   traced, 1000   traced, 4000   optimised 1000 optimised 4000
========================================= ============== ============== ============== ==============
onnxruntime's own                         1.86           16.6           0.80           8.3
without reuse of buffers                  1.52           11.2           0.48           3.1
... and without most optimisers           0.97           6.3            0.39           1.7
... and all that is done here             0.63           3.3            0.32           1.6
========================================= ============== ============== ============== ==============

Reuse of buffers is planned by a search that is quadratic in the tensors alive at once; without it each tensor is still freed
after its last use, and peak memory was the same to 2 % (439 MB against 442 MB at T = 4000). Each of 50 optimisers walks the
whole graph, up to three times, most of them to look for operators that are not there; without those that would find something
(a product and a sum become one node) a run took as long as before. And a Split into T pieces costs T steps in every walk. What
is left grows 5 times for 4 times the nodes, because the nodes no longer fit in the caches.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import onnxruntime as ort
from onnx import ModelProto, NodeProto

from unroll.graph import Graph
from unroll.passes.tools.cost import cost_of

#: From this many nodes on, a model is loaded as this module says above.
MANY_NODES = 8_000
#: A Split into more pieces than this is wide; cutting it into groups of fewer pieces is of no use.
WIDE, _LEAST_GROUP = 64, 5
#: Up to this many floating-point operations a node, more threads than one only add time. Measured on 2 cores (T = 28, LSTM,
#: medians of 40): one thread took 0.92 to 1.0 of the time of two up to 14,000 a node.
SMALL_NODE = 20_000
#: The size that a symbolic dimension is taken for where none is given.
USUAL_BATCH = 32

#: What optimisers other than those for flat arithmetic work on; a large model without any of these is loaded without
#: those.
_FUSED = frozenset(
    """Attention AveragePool BatchNormalization BiasGelu Conv ConvTranspose DequantizeLinear DynamicQuantizeLinear Erf
    Gelu GlobalAveragePool GroupNormalization GroupQueryAttention InstanceNormalization LayerNormalization
    MatMulInteger MatMulNBits MaxPool MultiHeadAttention QLinearConv QLinearMatMul QuantizeLinear Resize
    RMSNormalization SimplifiedLayerNormalization SkipLayerNormalization Softmax Upsample""".split()  # noqa: SIM905
)
#: All but ConstantFolding and the rules for single nodes.
_FOR_OTHERS = """AttentionFusion BiasDropoutFusion BiasGeluFusion BiasSkipLayerNormFusion BiasSoftmaxFusion
    CommonSubexpressionElimination ConstantSharing ConvActivationFusion ConvAddActivationFusion DoubleQDQPairsRemover
    DynamicQuantizeMatMulFusion EmbedLayerNormFusion EnsureUniqueDQForNodeUnit FastGeluFusion
    FuseFp16InitializerToFp32NodeTransformer GatherSliceToSplitFusion GatherToSliceFusion GeluFusionL1 GeluFusionL2
    GemmActivationFusion MatMulAddFusion
    GroupQueryAttentionFusion GroupQueryAttentionPreNormFusion LayerNormFusionL1 LayerNormFusionL2
    Level2_RuleBasedTransformer MatMulActivationFusion MatMulIntegerToFloatFusion MatMulNBitsFusion MatMulScaleFusion
    MatmulTransposeFusion NchwcTransformer NhwcTransformer QDQFinalCleanupTransformer QDQPropagationTransformer
    QDQS8ToU8Transformer QDQSelectorActionTransformer QuickGeluFusion ReshapeFusion SimplifiedLayerNormFusion
    SkipLayerNormFusion SliceConcatToSpaceToDepthFusion TransposeOptimizer TransposeOptimizer_CPUExecutionProvider
    WeightBiasQuantization WhereDummyDq""".split()  # noqa: SIM905


def options_for(model: ModelProto, threads: int | None = None) -> ort.SessionOptions:
    """Return onnxruntime's options for a model.

    Args:
        model: the model.
        threads: how many threads compute one operator; None for as many as there are cores for this process.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors are raised; warnings about a model's style are not for its user
    if threads is None:
        threads = _fewer_cores()
    if threads is not None:
        options.intra_op_num_threads = threads
    if is_large(model):
        options.enable_mem_reuse = False
    return options


def _fewer_cores() -> int | None:
    """Return on how many cores this process may run, where those are not all of them; else None.

    onnxruntime starts a thread for each core of the machine. On fewer they wait for one another: a native LSTM kept on one of
    two cores took 1.3 to 1.9 times as long (batch 32 with 128 units, batch 1 with 512) with two threads as with one.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return allowed if allowed is not None and allowed < (os.cpu_count() or 1) else None


def disabled_optimizers(model: ModelProto) -> list[str]:
    """Return the optimisers that are left out for a model: those that would find nothing in a large one."""
    if not is_large(model) or any(node.op_type in _FUSED for node in model.graph.node):
        return []
    return _FOR_OTHERS


def is_large(model: ModelProto) -> bool:
    """Say whether a model has so many nodes, once its functions are put in, that loading it takes care."""
    sizes = {(item.domain, item.name): len(item.node) for item in model.functions}
    return sum(sizes.get((node.domain, node.op_type), 1) for node in model.graph.node) >= MANY_NODES


def threads_for(graph: Graph, batch: int | None = None) -> int | None:
    """Return 1 for a graph whose operators are too small to share between threads, else None."""
    cost = cost_of(graph, USUAL_BATCH if batch is None else batch)
    return 1 if cost.flops <= SMALL_NODE * max(cost.nodes, 1) else None


def with_narrow_splits(model: ModelProto) -> ModelProto:
    """Return a large model with each wide Split into equal pieces cut in two levels: the same pieces, faster to load."""
    if not is_large(model) or not any(_is_wide(node) for node in model.graph.node):
        return model
    found = ModelProto()
    found.CopyFrom(model)
    del found.graph.node[:]
    waiting: dict[str, NodeProto] = {}
    for node in model.graph.node:
        for name in node.input:  # a group is cut just before it is used, which keeps what is alive at once small
            group = waiting.get(name)
            if group is not None:
                found.graph.node.append(group)
                for piece in group.output:
                    del waiting[piece]
        first, *groups = _in_two_levels(node) if _is_wide(node) else (node,)
        found.graph.node.append(first)
        waiting |= {piece: group for group in groups for piece in group.output}
    found.graph.node.extend({id(group): group for group in waiting.values()}.values())
    return found


def _is_wide(node: NodeProto) -> bool:
    return node.op_type == "Split" and not node.domain and len(node.input) == 1 and len(node.output) > WIDE


def _in_two_levels(node: NodeProto) -> Iterator[NodeProto]:
    """Return a Split into groups and the Splits of the groups, or the node itself where its pieces make no equal groups."""
    count = len(node.output)
    width = next((size for size in range(round(count**0.5), _LEAST_GROUP - 1, -1) if count % size == 0), None)
    if width is None:
        yield node
        return
    groups = [f"{node.output[start]}/and_{width - 1}_more" for start in range(0, count, width)]
    yield _split(node, node.input[0], groups)
    for place, group in enumerate(groups):
        yield _split(node, group, node.output[place * width : (place + 1) * width])


def _split(like: NodeProto, tensor: str, pieces: Iterable[str]) -> NodeProto:
    node = NodeProto(op_type="Split", name=f"{tensor}/Split", input=[tensor], output=pieces)
    for attribute in like.attribute:
        if attribute.name == "num_outputs":
            node.attribute.add(name=attribute.name, type=attribute.type, i=len(node.output))
        else:
            node.attribute.append(attribute)
    return node
