"""A right call of every public function, class and method: what a test of wrong calls replaces arguments of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import unroll
from unroll import activations, cells, initializers, keras, layers, nest, nn, ops, seq2seq
from unroll.export import Bound
from unroll.export.file_rerolling import reroll_file
from unroll.export.file_unrolling import unroll_file
from unroll.ops.functions import Tanh
from unroll.ops.joining import Concat
from unroll.passes import fold_zeros

#: A model that Keras saved.
KERAS_FILE = Path(__file__).parent / "golden" / "keras_files" / "lstm.keras"


class Call(NamedTuple):
    """One right call, made anew each time it is asked for."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    then: Callable[[Any], Any] = lambda made: made  # what is done with what it returns

    def positions(self) -> list[int | str]:
        """Every place of an argument: those given, and the keywords that may be."""
        try:
            parameters = inspect.signature(self.function).parameters
        except (TypeError, ValueError):
            parameters = {}  # type: ignore[assignment]
        named = [item for item in parameters.values() if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY)]
        by_place = [item.name for item in named if item.kind is item.POSITIONAL_OR_KEYWORD][: len(self.args)]
        rest = [item.name for item in named if item.name not in by_place]
        return [*range(len(self.args)), *dict.fromkeys((*rest, *self.kwargs))]

    def with_argument(self, position: int | str, value: Any) -> Any:
        """Call it with another value in one place, and do with the result what is done."""
        args, kwargs = list(self.args), dict(self.kwargs)
        if isinstance(position, int):
            args[position] = value
        else:
            kwargs[position] = value
        return self.then(self.function(*args, **kwargs))


def x(*shape: int | None, dtype: str = "float32", name: str = "x") -> Any:
    return unroll.placeholder(list(shape or (2, 3)), name, dtype)


def steps(count: int = 2) -> list[Any]:
    return [unroll.placeholder([2, 3], f"x{t}") for t in range(count)]


def graph() -> unroll.Graph:
    """Two steps of a GRU of two units."""
    inputs = steps()
    outputs, _ = unroll.static_rnn(unroll.GRUCell(2), inputs)
    return unroll.Graph(inputs, {"y": outputs[-1]})


def stateful() -> unroll.Graph:
    state, fed = unroll.placeholder([2], "state"), unroll.placeholder([2], "x")
    return unroll.Graph([fed], {"y": state + fed}, states={state: state + fed})


def flat_file(path: str) -> None:
    """Write a flat model of six steps, which can be re-rolled."""
    inputs = steps(6)
    outputs, _ = unroll.static_rnn(unroll.GRUCell(2), inputs)
    unroll.save(unroll.Graph(inputs, {"y": outputs[-1]}), path)


FEEDS = {"x0": np.ones((2, 3), "float32"), "x1": np.ones((2, 3), "float32")}
GRAPH, STATEFUL = graph(), stateful()
MODEL = unroll.to_onnx(GRAPH)
SESSION = unroll.Session(GRAPH)


def _cells() -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    inner = unroll.GRUCell(2)
    image = {"input_shape": [4, 3], "output_channels": 2, "kernel_shape": [2]}
    return {
        "AttentionCellWrapper": ((unroll.GRUCell(2), 2), {}),
        "Conv1DLSTMCell": ((), image),
        "Conv2DLSTMCell": ((), {"input_shape": [4, 4, 3], "output_channels": 2, "kernel_shape": [2, 2]}),
        "Conv3DLSTMCell": ((), {"input_shape": [4, 4, 4, 3], "output_channels": 2, "kernel_shape": [2, 2, 2]}),
        "ConvLSTMCell": ((1, [4, 3], 2, [2]), {}),
        "DeviceWrapper": ((inner, "/cpu:0"), {}),
        "DropoutWrapper": ((inner,), {}),
        "EmbeddingWrapper": ((inner, 5, 3), {}),
        "InputProjectionWrapper": ((unroll.GRUCell(2), 4), {}),
        "IntersectionRNNCell": ((3,), {}),
        "LSTMStateTuple": ((1, 2), {}),
        "MultiRNNCell": (([inner, unroll.GRUCell(3)],), {}),
        "OutputProjectionWrapper": ((inner, 4), {}),
        "RNNCell": ((), {}),
        "ResidualWrapper": ((unroll.GRUCell(3),), {}),
        "SLSTMStateTuple": ((1, 2, 3, 4), {}),
        "TensorShape": (([4, 2],), {}),
    }


#: What cells read that is not ``(2, 3)`` of floats.
CELL_INPUTS: dict[str, Callable[[], Any]] = {
    "Conv1DLSTMCell": lambda: x(2, 4, 3),
    "ConvLSTMCell": lambda: x(2, 4, 3),
    "Conv2DLSTMCell": lambda: x(2, 4, 4, 3),
    "Conv3DLSTMCell": lambda: x(2, 4, 4, 4, 3),
    "EmbeddingWrapper": lambda: x(2, dtype="int64"),
    "PhasedLSTMCell": lambda: (x(2, 1, name="time"), x()),
}
NO_STEP = ("LSTMStateTuple", "SLSTMStateTuple", "TensorShape", "RNNCell")


def step_of(name: str) -> Callable[[Any], Any]:
    """One step of a cell from its zero state."""

    def step(cell: Any) -> Any:
        return cell if name in NO_STEP else cell(CELL_INPUTS.get(name, x)(), cell.zero_state(2))

    return step


def cell_calls() -> dict[str, Call]:
    given = _cells()
    names = [name for name in cells.__all__ if name != "RNNCellLike"]
    return {f"cells.{name}": Call(getattr(cells, name), *given.get(name, ((2,), {})), step_of(name)) for name in names}


def _models() -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The inputs and outputs of a model of rows, and of one of sequences."""
    row, sequence = layers.Input((3,)), layers.Input((None, 3))
    return (row, layers.Dense(2)(row)), (sequence, layers.GRU(2)(sequence))


ROW_MODEL, SEQUENCE_MODEL = _models()

LAYERS: dict[str, tuple[tuple[Any, ...], Callable[[], Any]]] = {
    **{
        name: ((), lambda: [x(2, 3), x(2, 3)])
        for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply")
    },
    **{name: ((), lambda: [x(2, 4, 3), x(2, 5, 3)]) for name in ("AdditiveAttention", "Attention")},
    **dict.fromkeys(("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"), ((0.5,), x)),
    **{
        name: ((2,), lambda: x(2, 4, 3))
        for name in ("AveragePooling1D", "DepthwiseConv1D", "MaxPooling1D", "UpSampling1D")
    },
    **{
        name: ((2,), lambda: x(2, 4, 4, 3))
        for name in ("AveragePooling2D", "DepthwiseConv2D", "MaxPooling2D", "UpSampling2D")
    },
    **{name: ((2, 2), lambda: x(2, 4, 3)) for name in ("Conv1D", "SeparableConv1D")},
    **{name: ((2, 2), lambda: x(2, 4, 4, 3)) for name in ("Conv2D", "SeparableConv2D")},
    **{name: ((), lambda: x(2, 4, 3)) for name in ("GlobalAveragePooling1D", "GlobalMaxPooling1D")},
    **{name: ((), lambda: x(2, 4, 4, 3)) for name in ("GlobalAveragePooling2D", "GlobalMaxPooling2D")},
    **{name: ((1,), lambda: x(2, 4, 3)) for name in ("Cropping1D", "ZeroPadding1D", "GroupNormalization")},
    **{name: ((1,), lambda: x(2, 4, 4, 3)) for name in ("Cropping2D", "ZeroPadding2D")},
    **dict.fromkeys(
        ("BatchNormalization", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax", "UnitNormalization"), ((), x)
    ),
    "Conv3D": ((2, 2), lambda: x(2, 4, 4, 4, 3)),
    "Dot": ((1,), lambda: [x(2, 3), x(2, 3)]),
    "Flatten": ((), lambda: x(2, 4, 3)),
    "Lambda": ((ops.tanh,), x),
    "MultiHeadAttention": ((2, 2), lambda: x(2, 4, 3)),
    "Permute": (((2, 1),), lambda: x(2, 4, 3)),
    "RepeatVector": ((2,), x),
    "Reshape": (((3, 4),), lambda: x(2, 4, 3)),
    "SpatialDropout1D": ((0.5,), lambda: x(2, 4, 3)),
    "SpatialDropout2D": ((0.5,), lambda: x(2, 4, 4, 3)),
    "Subtract": ((), lambda: [x(2, 3), x(2, 3)]),
    "Activation": (("relu",), x),
    "Bidirectional": ((layers.GRU(2),), lambda: x(2, 4, 3)),
    "ConvLSTM1D": ((2, 2), lambda: x(2, 3, 4, 3)),
    "ConvLSTM2D": ((2, 2), lambda: x(2, 3, 4, 4, 3)),
    "ConvLSTM3D": ((2, 2), lambda: x(2, 3, 4, 4, 4, 3)),
    "ConvLSTMCell": ((1, 2, 2), lambda: x(2, 4, 3)),
    "Dense": ((2,), x),
    "Embedding": ((5, 2), lambda: x(2, 4, dtype="int64")),
    "GRU": ((2,), lambda: x(2, 4, 3)),
    "GRUCell": ((2,), x),
    "Input": (((4, 3),), x),
    "LSTM": ((2,), lambda: x(2, 4, 3)),
    "LSTMCell": ((2,), x),
    "Layer": ((), x),
    "LayerNormalization": ((), x),
    "Masking": ((), lambda: x(2, 4, 3)),
    "Model": (ROW_MODEL, lambda: x(2, 3)),
    "RNN": ((layers.LSTMCell(2),), lambda: x(2, 4, 3)),
    "Sequential": (([layers.Input((4, 3)), layers.GRU(2)],), lambda: x(2, 4, 3)),
    "SimpleRNN": ((2,), lambda: x(2, 4, 3)),
    "SimpleRNNCell": ((2,), x),
    "StackedRNNCells": (([layers.LSTMCell(2), layers.GRUCell(2)],), x),
    "TimeDistributed": ((layers.Dense(2),), lambda: x(2, 4, 3)),
}


def called_layer(name: str) -> Callable[[Any], Any]:
    """A call of a layer, or one step of a cell of layers."""

    def call(layer: Any) -> Any:
        if name in ("Input", "Layer"):
            return layer
        fed = LAYERS[name][1]()
        if name == "MultiHeadAttention":
            return layer(fed, fed)
        return (
            layer(fed, layer.get_initial_state(2))
            if name.endswith(("Cell", "Cells")) and name != "ConvLSTMCell"
            else (layer if name == "ConvLSTMCell" else layer(fed))
        )

    return call


def layer_calls() -> dict[str, Call]:
    return {
        f"layers.{name}": Call(getattr(layers, name), LAYERS[name][0], {}, called_layer(name))
        for name in layers.__all__
        if name not in ("serialize", "deserialize")
    }


def module_calls() -> dict[str, Call]:
    sequence, row = lambda m: m(x(4, 2, 3)), lambda m: m(x())
    found = {name: Call(getattr(nn, name), (3, 2), {}, sequence) for name in ("RNN", "LSTM", "GRU")}
    found |= {name: Call(getattr(nn, name), (3, 2), {}, row) for name in ("RNNCell", "LSTMCell", "GRUCell", "Linear")}
    found["Embedding"] = Call(nn.Embedding, (5, 2), {}, lambda m: m(x(2, 4, dtype="int64")))
    return {f"nn.{name}": call for name, call in found.items()}


def operator_calls() -> dict[str, Call]:
    a, b = x(), x(name="y")
    flag, ids = x(dtype="bool"), x(2, dtype="int64")
    sequence, total = x(4, 2, 3), x(3, name="total")
    recurrent: dict[str, Any] = {
        "hidden_size": 2, "direction": "forward", "activations": None, "activation_alpha": None, "activation_beta": None,
    }  # fmt: skip
    two = (
        "add", "div", "equal", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "mul", "not_equal",
        "pow", "sub",
    )  # fmt: skip
    number, go, power = x(1, dtype="int64", name="i"), x(1, dtype="bool", name="go"), x(name="power")
    doubled, same = unroll.Graph([power], power * 2), unroll.Graph([power], ops.identity(power))
    turns = unroll.Graph([number, go, power, total], [ops.identity(go), power * 2, power + total])
    weights = (np.ones((1, 8, 3), "float32"), np.ones((1, 8, 2), "float32"))
    found: dict[str, tuple[Any, ...] | Call] = dict.fromkeys(two, (a, b))
    found |= {
        "Operator": Call(ops.Operator),
        "apply": (Concat(0), a, b),
        "apply_one": (Tanh(), a),
        "cast": (a, "float64"),
        "clip": (a, 0.0, 1.0),
        "concat": ([a, b], 0),
        "constant_of_shape": ([2, 3], 1.0),
        "conv": (x(1, 2, 5), unroll.constant(np.ones((3, 2, 2), "float32")), np.ones(3, "float32")),
        "elu": (a, 1.0),
        "expand": (a, [4, 2, 3]),
        "expand_dims": (a, 1),
        "gather": (a, ids, 0),
        "gemm": (a, np.ones((3, 2), "float32"), np.ones(2, "float32")),
        "gru": Call(ops.gru, (sequence, np.ones((1, 6, 3), "float32"), np.ones((1, 6, 2), "float32")), recurrent),
        "hard_sigmoid": (a, 0.2, 0.5),
        "if_": Call(ops.if_, (x(1, dtype="bool", name="flag"), doubled, same, [a])),
        "layer_normalization": (a, np.ones(3, "float32"), np.ones(3, "float32")),
        "leaky_relu": (a, 0.1),
        "logical_and": (flag, flag),
        "logical_not": (flag,),
        "logical_or": (flag, flag),
        "lstm": Call(ops.lstm, (sequence, *weights), recurrent),
        "loop": Call(ops.loop, (turns, [a], [x(3)]), {"count": 4, "condition": x(1, dtype="bool", name="first")}),
        "average_pool": (x(1, 2, 5), 2),
        "matmul": (a, np.ones((3, 2), "float32")),
        "max_pool": (x(1, 2, 5), 2),
        "pad": (a, [0, 1, 0, 2]),
        "reshape": (a, [3, 2]),
        "reverse_sequence": (sequence, ids),
        "rnn": Call(ops.rnn, (sequence, np.ones((1, 2, 3), "float32"), np.ones((1, 2, 2), "float32")), recurrent),
        "scan": Call(ops.scan, (unroll.Graph([total, x(3)], [total + 1, total * 2]), [total], [a])),
        "slice_": (a, [0], [1], [0], [1]),
        "split": (a, 3, 1),
        "squeeze": (x(2, 1), [1]),
        "stack": ([a, b], 0),
        "tile": (a, [2, 1]),
        "transpose": (a, [1, 0]),
        "unsqueeze": (a, [1]),
        "unstack": (a, 0),
        "where": (flag, a, b),
        "zeros": ([2, 3],),
        "ones": ([2, 3],),
        "range": (4,),
    }
    calls = {}
    for name in ops.__all__:
        if name == "OPERATORS":
            continue
        item = found.get(name, (a,))
        calls[f"ops.{name}"] = item if isinstance(item, Call) else Call(getattr(ops, name), item)
    return calls


class ReusedSaver:
    """What a `StateSaver` does, for a call that is made again: each state may be saved once for each time it is read."""

    def state(self, name: str) -> Any:
        self._saver = unroll.StateSaver({"h": 2}, 2)
        return self._saver.state(name)

    def save_state(self, name: str, value: Any) -> None:
        self._saver.save_state(name, value)


def driver_calls() -> dict[str, Call]:
    cell, seq = unroll.GRUCell, lambda: x(2, 4, 3)

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        return (time >= 2, x(), raw.zero_state(2) if output is None else state, output, None)

    raw = unroll.GRUCell(2)
    saver = unroll.StateSaver({"h": 2}, 2)
    return {
        "static_rnn": Call(unroll.static_rnn, (cell(2), steps())),
        "dynamic_rnn": Call(unroll.dynamic_rnn, (cell(2), seq()), {"dtype": "float32"}),
        "static_bidirectional_rnn": Call(
            unroll.static_bidirectional_rnn, (cell(2), cell(2), steps()), {"dtype": "float32"}
        ),
        "bidirectional_dynamic_rnn": Call(
            unroll.bidirectional_dynamic_rnn, (cell(2), cell(2), seq()), {"dtype": "float32"}
        ),
        "stack_bidirectional_rnn": Call(
            unroll.stack_bidirectional_rnn, ([cell(2)], [cell(2)], steps()), {"dtype": "float32"}
        ),
        "stack_bidirectional_dynamic_rnn": Call(
            unroll.stack_bidirectional_dynamic_rnn, ([cell(2)], [cell(2)], seq()), {"dtype": "float32"}
        ),
        "static_state_saving_rnn": Call(unroll.static_state_saving_rnn, (cell(2), steps(), ReusedSaver(), "h")),
        "raw_rnn": Call(unroll.raw_rnn, (raw, loop), {"maximum_iterations": 3}),
        "StateSaver": Call(unroll.StateSaver, ({"h": 2}, 2, "float32")),
        "StateSaver.state": Call(saver.state, ("h",)),
        "StateSaver.save_state": Call(unroll.StateSaver({"h": 2}, 2).save_state, ("h", x(2, 2))),
    }


def seq2seq_calls() -> dict[str, Call]:
    memory, lengths, table = (
        x(2, 5, 3),
        x(2, name="lengths", dtype="int32"),
        unroll.Parameter(np.eye(4, 3, dtype="float32"), "table"),
    )
    helper, cell = seq2seq.GreedyEmbeddingHelper(table, [1, 1], 0), unroll.GRUCell(3)
    bahdanau = seq2seq.BahdanauAttention(3, memory)

    def attends(mechanism: Any) -> Any:
        return mechanism(x(2, 3, name="query"))

    def decodes(decoder: Any) -> Any:
        return seq2seq.dynamic_decode(decoder, maximum_iterations=2)

    def steps(wrapper: Any) -> Any:
        return wrapper(x(2, 3), wrapper.zero_state(2))

    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2))
    return {
        "seq2seq.AttentionWrapper": Call(seq2seq.AttentionWrapper, (unroll.GRUCell(3), bahdanau, 4), {}, steps),
        "seq2seq.AttentionWrapperState": Call(seq2seq.AttentionWrapperState, (1, 2, 3)),
        "seq2seq.BahdanauAttention": Call(seq2seq.BahdanauAttention, (3, memory, lengths), {}, attends),
        "seq2seq.BasicDecoder": Call(seq2seq.BasicDecoder, (cell, helper, cell.zero_state(2)), {}, decodes),
        "seq2seq.BasicDecoderOutput": Call(seq2seq.BasicDecoderOutput, (1, 2)),
        "seq2seq.GreedyEmbeddingHelper": Call(
            seq2seq.GreedyEmbeddingHelper, (table, [1, 1], 0), {}, lambda h: h.initialize()
        ),
        "seq2seq.LuongAttention": Call(seq2seq.LuongAttention, (3, memory), {"scale": True}, attends),
        "seq2seq.TrainingHelper": Call(seq2seq.TrainingHelper, (memory, lengths), {}, lambda h: h.initialize()),
        "seq2seq.dynamic_decode": Call(seq2seq.dynamic_decode, (decoder,), {"maximum_iterations": 2}),
    }


def graph_calls() -> dict[str, Call]:
    fed, y = x(), x() + 1
    inner = fed + 1
    simple = unroll.Graph([fed], {"y": inner})
    kernel = next(iter(GRAPH.parameters.values()))
    return {
        "Graph": Call(unroll.Graph, ([fed], inner)),
        "Graph.run": Call(GRAPH.run, (FEEDS, "y")),
        "Graph.check_feeds": Call(GRAPH.check_feeds, (FEEDS,)),
        "Graph.assign": Call(GRAPH.assign, ({kernel.name: kernel.value},)),
        "Graph.name": Call(simple.name, (inner,)),
        "Graph.shape": Call(simple.shape, (inner,)),
        "Graph.tensor": Call(simple.tensor, ("y",)),
        "Graph.summary": Call(simple.summary, (True,)),
        "Graph.save_parameters": Call(GRAPH.save_parameters, ("parameters.npz",)),
        "Graph.load_parameters": Call(GRAPH.load_parameters, ("parameters.npz",)),
        "Graph.parameters": Call(lambda key: GRAPH.parameters[key], (kernel.name,)),
        "Stream": Call(unroll.Stream, (STATEFUL,)),
        "Stream.run": Call(STATEFUL.stream().run, ({"x": np.ones(2, "float32")},)),
        "Stream.reset": Call(STATEFUL.stream().reset, ({"state": np.ones(2, "float32")},)),
        "Parameter": Call(unroll.Parameter, (np.ones(2), "w", "float32")),
        "Parameter.assign": Call(kernel.assign, (kernel.value,)),
        "Parameter.cast": Call(kernel.cast, (kernel.value,)),
        "constant": Call(unroll.constant, (1.0, "float32", "c")),
        "placeholder": Call(unroll.placeholder, ([2, 3], "x", "float32")),
        "scope": Call(unroll.scope, ("s",)),
        "step": Call(unroll.step, (0,)),
        "trace": Call(unroll.trace, (lambda a: a + 1, fed)),
        "Tensor.__getitem__": Call(fed.__getitem__, (0,)),
        "RNNCell.zero_state": Call(unroll.GRUCell(2).zero_state, (2, "float32")),
        "RNNCell.__call__": Call(unroll.GRUCell(2), (x(), unroll.GRUCell(2).zero_state(2))),
        "RNNCell.add_weight": Call(unroll.GRUCell(2).add_weight, ("w", [2, 3])),
        "BasicLSTMCell.set_weights": Call(unroll.BasicLSTMCell(2).set_weights, (np.ones((5, 8)), np.ones(8))),
        "BasicLSTMCell.weight": Call(_called(unroll.BasicLSTMCell(2)).weight, ("kernel",)),
        "unroll of y": Call(lambda value: y + value, (1.0,)),
    }


def _called(cell: Any) -> Any:
    cell(x(), cell.zero_state(2))
    return cell


#: Arguments of functions of ``keras.ops``, beside those of one tensor and of two.
KERAS_ARGUMENTS: dict[str, Callable[[], tuple[Any, ...]]] = {
    **dict.fromkeys(
        (
            "add", "subtract", "multiply", "divide", "true_divide", "power", "maximum", "minimum", "equal", "not_equal", "less",
            "less_equal", "greater", "greater_equal", "floor_divide", "mod",
        ),
        lambda: (x(2, 3), x(2, 3, name="y")),
    ),
    **dict.fromkeys(
        ("logical_and", "logical_or", "logical_xor"), lambda: (x(2, 3, dtype="bool"), x(2, 3, dtype="bool", name="y"))
    ),
    **dict.fromkeys(("concatenate", "stack"), lambda: ([x(2, 3), x(2, 3, name="y")], 1)),
    **dict.fromkeys(("matmul", "dot"), lambda: (x(2, 3), x(3, 4, name="y"))),
    **dict.fromkeys(("full",), lambda: ((2, 3), 1.5)),
    **dict.fromkeys(("zeros", "ones"), lambda: ((2, 3),)),
    **dict.fromkeys(("average_pool", "max_pool"), lambda: (x(2, 4, 4, 3), 2)),
    **dict.fromkeys(("binary_crossentropy", "categorical_crossentropy"), lambda: (x(2, 3), x(2, 3, name="y"))),
    "arange": lambda: (5,),
    "broadcast_to": lambda: (x(1, 3), (2, 3)),
    "cast": lambda: (x(2, 3), "float64"),
    "clip": lambda: (x(2, 3), 0.0, 1.0),
    "conv": lambda: (x(2, 4, 3), x(2, 3, 5, name="y")),
    "einsum": lambda: ("ij,jk->ik", x(2, 3), x(3, 4, name="y")),
    "expand_dims": lambda: (x(2, 3), 1),
    "logical_not": lambda: (x(2, 3, dtype="bool"),),
    "one_hot": lambda: (x(2, dtype="int64"), 3),
    "repeat": lambda: (x(2, 3), 2, 1),
    "reshape": lambda: (x(2, 3), (3, 2)),
    "sparse_categorical_crossentropy": lambda: (x(2, dtype="int64"), x(2, 3, name="y")),
    "split": lambda: (x(2, 4), 2, 1),
    "squeeze": lambda: (x(2, 1), 1),
    "swapaxes": lambda: (x(2, 3), 0, 1),
    "take": lambda: (x(2, 3), [0, 1], 1),
    "tensordot": lambda: (x(2, 3), x(3, 4, name="y"), 1),
    "tile": lambda: (x(2, 3), (1, 2)),
    "where": lambda: (x(2, 3, dtype="bool"), x(2, 3, name="y"), x(2, 3, name="z")),
}  # fmt: skip


def keras_calls() -> dict[str, Call]:
    return {
        f"keras.ops.{name}": Call(getattr(keras.ops, name), KERAS_ARGUMENTS.get(name, lambda: (x(2, 3),))())
        for name in keras.ops.__all__
    }


def model_calls() -> dict[str, Call]:
    model = layers.Sequential([layers.Input((4, 3)), layers.GRU(2), layers.Dense(2)])
    dense = layers.Dense(2)
    dense.build((None, 3))
    module = nn.LSTM(3, 2)
    made: Any = layers.Model(*ROW_MODEL)
    loaded: Any = keras.models.load_model(KERAS_FILE)
    return {
        "Model.predict": Call(made.predict, (np.ones((2, 3), "float32"),)),
        "Model.trace": Call(layers.Model(*SEQUENCE_MODEL).trace, (4, 2)),
        "Model.get_layer": Call(made.get_layer, ("dense",)),
        "Model.build": Call(layers.Sequential([layers.Dense(2)]).build, ((None, 3),)),
        "keras.models.clone_model": Call(keras.models.clone_model, (made,)),
        "keras.models.load_model": Call(keras.models.load_model, (KERAS_FILE,)),
        "keras.models.model_from_json": Call(keras.models.model_from_json, (made.to_json(),)),
        "keras.saving.deserialize_keras_object": Call(
            keras.saving.deserialize_keras_object, (layers.serialize(dense),)
        ),
        "keras.saving.serialize_keras_object": Call(keras.saving.serialize_keras_object, (dense,)),
        "keras.saving.register_keras_serializable": Call(keras.saving.register_keras_serializable, ("Tests", "Row")),
        "keras.saving.custom_object_scope": Call(keras.saving.custom_object_scope, ({"Row": layers.Dense},)),
        "layers.deserialize": Call(layers.deserialize, (layers.serialize(dense),)),
        "layers.serialize": Call(layers.serialize, (dense,)),
        "Layer.from_config": Call(layers.Dense.from_config, (dense.get_config(),)),
        "Model.from_config": Call(layers.Model.from_config, (made.get_config(),)),
        "Model.load_weights": Call(loaded.load_weights, (KERAS_FILE,)),
        "Model.save": Call(made.save, ("model.keras",)),
        "Model.save_weights": Call(made.save_weights, ("model.weights.h5",)),
        "Sequential.add": Call(layers.Sequential().add, (layers.Input((4, 3)),)),
        "Sequential.predict": Call(model.predict, (np.ones((2, 4, 3), "float32"),)),
        "Sequential.trace": Call(model.trace, (4, 2)),
        "Sequential.build": Call(layers.Sequential([layers.GRU(2)]).build, ((None, 4, 3),)),
        "Layer.add_weight": Call(layers.Layer().add_weight, ([2, 3],), {"name": "w"}),
        "Layer.build": Call(layers.Dense(2).build, ((None, 3),)),
        "Layer.set_weights": Call(dense.set_weights, (dense.get_weights(),)),
        "Layer.compute_output_shape": Call(dense.compute_output_shape, ((None, 3),)),
        "Layer.__call__": Call(layers.GRU(2), (x(2, 4, 3),), {"mask": None, "initial_state": None}),
        "Module.load_state_dict": Call(module.load_state_dict, (module.state_dict(),)),
        "Module.__call__": Call(module, (x(4, 2, 3),)),
    }


def export_calls() -> dict[str, Call]:
    fed = x(None, 4, 3)
    rows = unroll.Session(unroll.Graph([fed], {"y": fed * 2}))
    seq = [np.ones((4, 3), "float32")]
    streaming = unroll.Session(STATEFUL)
    return {
        "to_c": Call(unroll.to_c, (GRAPH,)),
        "to_onnx": Call(unroll.to_onnx, (GRAPH,)),
        "save": Call(unroll.save, (GRAPH, "model.onnx")),
        "from_onnx": Call(unroll.from_onnx, (MODEL,)),
        "Session": Call(unroll.Session, (MODEL,)),
        "Session.run": Call(SESSION.run, (FEEDS, ["y"])),
        "Session.bind": Call(SESSION.bind, (FEEDS,)),
        "Session.run_many": Call(rows.run_many, (seq,), {}, list),
        "Session.stream.reset": Call(streaming.stream().reset, ({"state": np.ones(2, "float32")},)),
        "Bound": Call(Bound, (SESSION, FEEDS)),
        "fold_zeros": Call(fold_zeros, (GRAPH,)),
        "run_many": Call(unroll.run_many, (rows, seq), {}, list),
        "compile": Call(unroll.compile, (GRAPH,), {"batch": 2, "tune": False, "cache": False}),
        "verify": Call(unroll.verify, (GRAPH, FEEDS)),
        "explain": Call(unroll.explain, (GRAPH, FEEDS, 1, 0), {}, str),
        "check_gate_order": Call(unroll.check_gate_order, (GRAPH, FEEDS, np.zeros((2, 2), "float32"))),
        "reroll_file": Call(reroll_file, ("flat.onnx", "small.onnx")),
        "unroll_file": Call(unroll_file, ("rolled.onnx", "flat_again.onnx")),
        "optimize": Call(unroll.optimize, (GRAPH,)),
        "reroll": Call(unroll.reroll, (GRAPH,)),
        "unroll": Call(unroll.unroll, (GRAPH,)),
        "equivalent": Call(unroll.equivalent, (GRAPH, GRAPH)),
        "draw": Call(unroll.draw, (GRAPH, "picture.dot")),
        "view": Call(unroll.view, (GRAPH, "page.html")),
        "draw_values": Call(unroll.draw_values, (GRAPH, FEEDS, "values.svg")),
        "draw_diff": Call(unroll.draw_diff, (GRAPH, GRAPH, "diff.svg")),
        "draw_kernel": Call(unroll.draw_kernel, (GRAPH, "kernel.svg")),
    }


def initializer_calls() -> dict[str, Call]:
    def drawn(made: Any) -> Any:
        return made((2, 3), np.dtype("float32"), "w", None)

    named = dict.fromkeys(type_ for type_ in initializers.INITIALIZERS.values())
    return {f"initializers.{type_.__name__}": Call(type_, (), {}, drawn) for type_ in named}


def activation_calls() -> dict[str, Call]:
    found = {name: Call(getattr(activations, name), (x(),)) for name in activations.__all__}
    found["glu"] = Call(activations.glu, (x(2, 4),))
    found["threshold"] = Call(activations.threshold, (x(), 0.5, 1.0))
    found["get_activation"] = Call(activations.get_activation, ("relu", "tanh", "cell"))
    return {f"activations.{name}": call for name, call in found.items()}


def nest_calls() -> dict[str, Call]:
    return {
        "nest.flatten": Call(nest.flatten, ([1, (2, 3)],)),
        "nest.pack": Call(nest.pack, ([1, (2, 3)], [1, 2, 3])),
        "nest.map_leaves": Call(nest.map_leaves, (lambda leaf: leaf, [1, 2])),
        "nest.check_same_structure": Call(nest.check_same_structure, ([1], [2], "state")),
        "nest.coerced": Call(nest.coerced, ([1], [2])),
        "nest.is_nested": Call(nest.is_nested, ([1],)),
        "nest.flatten_with_paths": Call(nest.flatten_with_paths, ([1],), {}, list),
    }


def all_calls() -> dict[str, Call]:
    """Every right call by the name of what is called."""
    return {
        **cell_calls(), **layer_calls(), **module_calls(), **operator_calls(), **driver_calls(), **graph_calls(),
        **keras_calls(), **model_calls(), **export_calls(), **initializer_calls(), **nest_calls(),
        **activation_calls(), **seq2seq_calls(),
    }  # fmt: skip


def prepared(name: str) -> None:
    """Write the files that some of the calls read."""
    if name == "Graph.load_parameters":
        GRAPH.save_parameters("parameters.npz")
    elif name == "reroll_file":
        flat_file("flat.onnx")
    elif name == "unroll_file":
        x = unroll.placeholder([3, 2, 4], "x")
        y, _ = ops.rnn(x, np.ones((1, 2, 4)), np.ones((1, 2, 2)), hidden_size=2)
        unroll.save(unroll.Graph([x], {"y": y}), "rolled.onnx")
