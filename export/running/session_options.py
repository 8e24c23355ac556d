"""How onnxruntime is set up for a model: what its size and operators call for.

A flat graph is slow to load for two reasons, both of which are met here. Measured in onnxruntime 1.31, in fresh processes:
CPU seconds of creating a session (medians of three), BasicLSTMCell(13) over T steps cut from one tensor and stacked again,
16 nodes a step as it was traced and 10 optimised:

========================================= ============== ============== ============== ==============
setting                                   traced, 1000   traced, 4000   optimised 1000 optimised 4000
========================================= ============== ============== ============== ==============
onnxruntime's own                         1.86           16.6           0.80           8.3
without reuse of buffers                  1.52           11.2           0.48           3.1
... and without most optimisers           0.97           6.3            0.39           1.7
========================================= ============== ============== ============== ==============

Reuse of buffers is planned by a search that is quadratic in the tensors alive at once; without it each tensor is still freed
after its last use, and peak memory was the same to 2 % (439 MB against 442 MB at T = 4000). Each of 50 optimisers walks the
whole graph, up to three times, most of them to look for operators that are not there; without those that would find something
(a product and a sum become one node) a run took as long as before. What is left grows 5 times for 4 times the nodes, because
the nodes no longer fit in the caches. A Split into T pieces costs T steps in every walk; cutting it in two levels took 0.91
of the time to load in onnxruntime 1.31 (traced, T = 1000), and 1.01 in 1.32, so it is left as it is.
"""

from __future__ import annotations

import os

import onnxruntime as ort
from onnx import ModelProto

from unroll.graph import Graph
from unroll.passes.tools.cost import cost_of

#: From this many nodes on, a model is loaded as this module says above.
MANY_NODES = 8_000
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
