"""Random ONNX models of one RNN, GRU or LSTM node, of every attribute and input that ONNX gives them.

They are written with onnx's helpers alone, as another program would, and never with what is tested.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from helpers import Array
from onnx import ModelProto, TensorProto, helper, numpy_helper

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
#: How many activations each takes a direction.
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
PLAIN = ("Relu", "Sigmoid", "Softsign", "Softplus", "Tanh")
#: Activations by how many parameters they have; those in `PARAMETERS_GIVEN` have no defaults.
PARAMETERS = {"LeakyRelu": 1, "Elu": 1, "ThresholdedRelu": 1, "HardSigmoid": 2, "Affine": 2, "ScaledTanh": 2}
#: The defaults that ONNX's text gives, and runtimes have: for ThresholdedRelu onnxruntime has another one.
DEFAULTS = {"LeakyRelu": (0.01, None), "Elu": (1.0, None), "HardSigmoid": (0.2, 0.5)}
KINDS = ((TensorProto.FLOAT, "float32"), (TensorProto.DOUBLE, "float64"))


class Drawn(NamedTuple):
    """A random model.

    Attributes:
        model: one recurrent node, its weights as initializers.
        feeds: what it is run on.
        fixed: whether ONNX's text fixes what it means: which activation takes which parameter, and that none is missing.
        told: what it is, in words.
    """

    model: ModelProto
    feeds: dict[str, Array]
    fixed: bool
    told: str


def draw_node(seed: int, foreign: float = 0.1, mixed: float = 0.0) -> Drawn:
    """Return a random recurrent node.

    Args:
        seed: the same seed gives the same node.
        foreign: the share of each attribute that runners lack or get wrong: `layout`, `clip`, `input_forget`.
        mixed: the share of nodes whose activations have any parameters, or fewer than they need.
    """
    rng = np.random.default_rng([seed, 9])
    kind = str(rng.choice(list(GATES)))
    direction = str(rng.choice(["forward", "reverse", "bidirectional"], p=[0.5, 0.2, 0.3]))
    dirs = 2 if direction == "bidirectional" else 1
    time, batch, features, hidden = (int(size) for size in rng.integers(1, 6, 4))
    number, dtype = KINDS[int(rng.random() < 0.1)]
    attributes: dict[str, Any] = {"hidden_size": hidden}
    if direction != "forward" or rng.random() < 0.5:
        attributes["direction"] = direction
    if rng.random() < 0.3:
        attributes |= _activations(rng, FUNCTIONS[kind] * dirs)
    if mixed and rng.random() < mixed:
        attributes |= _mixed_activations(rng, FUNCTIONS[kind] * dirs)
    if kind == "GRU" and rng.random() < 0.5:
        attributes["linear_before_reset"] = int(rng.integers(0, 2))
    strange: dict[str, Any] = {}
    if rng.random() < foreign:
        strange["layout"] = 1
    if rng.random() < foreign:
        strange["clip"] = float(rng.uniform(0.05, 0.5))
    if kind == "LSTM" and rng.random() < foreign:
        strange["input_forget"] = 1
    attributes |= strange

    def normal(*shape: int) -> Array:
        return np.asarray(rng.normal(size=shape, scale=0.7)).astype(dtype)

    swap = "layout" in strange
    x = normal(batch, time, features) if swap else normal(time, batch, features)
    weights = {"W": normal(dirs, GATES[kind] * hidden, features), "R": normal(dirs, GATES[kind] * hidden, hidden)}
    fed = {"X": x}
    inputs = ["X", "W", "R"]
    if rng.random() < 0.7:
        weights["B"] = normal(dirs, 2 * GATES[kind] * hidden)
    inputs.append("B" if "B" in weights else "")
    if rng.random() < 0.4:
        fed["lengths"] = rng.integers(0, time + 1, batch).astype("int32")
    inputs.append("lengths" if "lengths" in fed else "")
    for name in ("initial_h", *(["initial_c"] if kind == "LSTM" else [])):
        given = rng.random() < 0.5
        if given:
            fed[name] = normal(batch, dirs, hidden) if swap else normal(dirs, batch, hidden)
        inputs.append(name if given else "")
    if kind == "LSTM" and rng.random() < 0.3:
        weights["P"] = normal(dirs, 3 * hidden)
        inputs.append("P")
    while not inputs[-1]:
        inputs.pop()
    outputs = _outputs(rng, kind, time, batch, dirs, hidden, swap)
    node = helper.make_node(kind, inputs, [name if shape else "" for name, shape in outputs], "node", **attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, TensorProto.INT32 if name == "lengths" else number, list(array.shape))
            for name, array in fed.items()
        ],
        [helper.make_tensor_value_info(name, number, shape) for name, shape in outputs if shape],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    told = f"seed {seed}: {kind} {attributes} of {dtype} on {inputs}"
    return Drawn(model, fed, _is_fixed(attributes), told)


def time_first(drawn: Drawn) -> tuple[ModelProto, dict[str, Array]]:
    """Return a model whose batch comes first as onnxruntime takes it, with time first, and its feeds.

    Its outputs are those of the model, for whom `batch_first` turns them back.
    """
    model = ModelProto()
    model.CopyFrom(drawn.model)
    node = model.graph.node[0]
    kept = [item for item in node.attribute if item.name != "layout"]
    if len(kept) == len(node.attribute):
        return model, drawn.feeds
    del node.attribute[:]
    node.attribute.extend(kept)
    feeds = {name: array if name == "lengths" else array.swapaxes(0, 1) for name, array in drawn.feeds.items()}
    for item in model.graph.input:
        dims = item.type.tensor_type.shape.dim
        for dim, size in zip(dims, feeds[item.name].shape, strict=True):
            dim.dim_value = size
    for item in model.graph.output:
        item.type.tensor_type.ClearField("shape")
    return model, feeds


def batch_first(array: Array) -> Array:
    """Return what a model of `time_first` makes with the batch first."""
    return array.transpose(2, 0, 1, 3) if array.ndim == 4 else array.swapaxes(0, 1)


def _mixed_activations(rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Return random activations with random numbers of parameters."""
    names = [str(name) for name in rng.choice([*PLAIN, *PARAMETERS], count)]
    found: dict[str, Any] = {"activations": names}
    for place, name in enumerate(("activation_alpha", "activation_beta")):
        takers = sum(PARAMETERS.get(item, 0) > place for item in names)
        given = int(rng.integers(0, count + 1)) if rng.random() < 0.3 else takers
        if given:
            found[name] = list(rng.uniform(0.1, 0.9, given))
    return found


def _is_fixed(attributes: dict[str, Any]) -> bool:
    """Whether both readings of ONNX's text, the next parameter for each that has one or that of its place, say the same."""
    names = attributes.get("activations", [])
    for place, attribute in enumerate(("activation_alpha", "activation_beta")):
        given = list(attributes.get(attribute, ()))
        following = iter(given)
        for at, name in enumerate(names):
            if PARAMETERS.get(name, 0) > place:
                default = DEFAULTS.get(name, (None, None))[place]
                one = next(following, default)
                if one is None or one != (given[at] if at < len(given) else default):
                    return False
    return True


def _outputs(
    rng: np.random.Generator, kind: str, time: int, batch: int, dirs: int, hidden: int, swap: bool
) -> list[tuple[str, list[int] | None]]:
    """Return the outputs and their shapes, None for those left out; at least one is there."""
    y = [batch, time, dirs, hidden] if swap else [time, dirs, batch, hidden]
    last = [batch, dirs, hidden] if swap else [dirs, batch, hidden]
    found: list[tuple[str, list[int] | None]] = [("Y", y), ("Y_h", last), *([("Y_c", last)] if kind == "LSTM" else [])]
    kept = rng.random(len(found)) < 0.8
    kept[int(rng.integers(len(found)))] = True
    found = [(name, shape if keep else None) for (name, shape), keep in zip(found, kept, strict=True)]
    while found[-1][1] is None:
        found.pop()
    return found


def _activations(rng: np.random.Generator, count: int) -> dict[str, Any]:
    """Return random activations; where one has parameters, all of them are alike.

    onnxruntime and the specification number the parameters of mixed ones differently; see test_recurrent_operators.py.
    """
    if rng.random() < 0.6:
        return {"activations": [str(name) for name in rng.choice(PLAIN, count)]}
    name = str(rng.choice(list(PARAMETERS)))
    found: dict[str, Any] = {"activations": [name] * count, "activation_alpha": list(rng.uniform(0.1, 0.9, count))}
    if PARAMETERS[name] > 1:
        found["activation_beta"] = list(rng.uniform(0.1, 0.9, count))
    return found
