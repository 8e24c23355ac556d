"""What each runner is known to get wrong: a table, so that `verify` lets it step aside there and says so.

A row was found by running random nodes of every attribute, and all node tests that onnx ships, in both runners, with onnx
1.23.2 and onnxruntime 1.32 (the recurrent operators and Loop with onnx 1.17, 1.20 and 1.22 as well), and by running the tests
with onnx 1.17 and onnxruntime 1.20. An example of each stands in `tests/export/verifying/test_known_faults.py`, which fails
where a runner has been mended. What a runner refuses by itself needs no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import onnx
import onnxruntime
from onnx import ModelProto, NodeProto

from unroll.export.node_walk import all_nodes

REFERENCE, ONNXRUNTIME = "onnx reference", "onnxruntime"
#: The names of ONNX's own domain.
_OWN = ("", "ai.onnx")
#: How many reasons are given in full.
_TOLD = 3


class Fault(NamedTuple):
    """One thing that a runner gets wrong.

    Attributes:
        runner: who.
        operator: the operators of ONNX's own domain that it gets wrong, by name.
        condition: says which of their nodes, from a node and the opset of its model.
        why: what it does there, as the end of a sentence that begins with the runner.
        until: the first version of the runner that is right; empty where none is known.
        nonfinite: whether it is wrong only where NaN or an infinity comes in, or arises.
    """

    runner: str
    operators: tuple[str, ...]
    condition: Callable[[NodeProto, int], bool]
    why: str
    until: str = ""
    nonfinite: bool = False


# -- conditions -------------------------------------------------------------------------------------------------------


def _any(node: NodeProto, opset: int) -> bool:
    return True


#: The value of an attribute that a function takes from its call: it may be anything.
_ANYTHING = object()


def _attributes(node: NodeProto) -> dict[str, Any]:
    """Return a node's attributes that are no graphs."""
    return {
        item.name: _ANYTHING if item.ref_attr_name else onnx.helper.get_attribute_value(item)
        for item in node.attribute
        if item.ref_attr_name or not (item.HasField("g") or item.graphs)
    }


def _is(node: NodeProto, name: str, default: Any) -> bool:
    """Say whether an attribute has its default value."""
    return bool(_attributes(node).get(name, default) == default)


def _has_input(place: int) -> Callable[[NodeProto, int], bool]:
    return lambda node, opset: len(node.input) > place and bool(node.input[place])


def _has_output(place: int) -> Callable[[NodeProto, int], bool]:
    return lambda node, opset: len(node.output) > place and bool(node.output[place])


def _gives(name: str, default: Any = None) -> Callable[[NodeProto, int], bool]:
    """Say whether an attribute is given, and not as its default."""
    return lambda node, opset: name in _attributes(node) and not _is(node, name, default)


def _before(least: int, only: Callable[[NodeProto, int], bool] = _any) -> Callable[[NodeProto, int], bool]:
    return lambda node, opset: opset < least and only(node, opset)


_USUAL = {"GRU": ("sigmoid", "tanh"), "LSTM": ("sigmoid", "tanh", "tanh")}


def _other_activations(node: NodeProto, opset: int) -> bool:
    given = _attributes(node).get("activations", ())
    if given is _ANYTHING:
        return True
    usual = _USUAL[node.op_type]
    names = [bytes(name).decode(errors="replace").lower() for name in given]
    return any(name != usual[place % len(usual)] for place, name in enumerate(names))


def _softplus(node: NodeProto, opset: int) -> bool:
    given = _attributes(node).get("activations", ())
    return given is _ANYTHING or any(bytes(name).lower() == b"softplus" for name in given)


def _second_activation(node: NodeProto, opset: int) -> bool:
    """An RNN of two directions, whose functions are not both tanh."""
    given = _attributes(node).get("activations", ())
    return given is _ANYTHING or (len(given) > 1 and any(bytes(name).lower() != b"tanh" for name in given))


def _backward(node: NodeProto, opset: int) -> bool:
    return not _is(node, "direction", b"forward")


def _ones(values: Any) -> bool:
    return values is not _ANYTHING and all(value == 1 for value in values)


def _odd_window(node: NodeProto, opset: int) -> bool:
    """A pooling whose last window is a part of one, or whose padding is to be found for holes or gaps between windows."""
    given = _attributes(node)
    if given.get("ceil_mode", 0) != 0:
        return True
    if given.get("auto_pad", b"NOTSET") == b"NOTSET":
        return False
    kernel, strides = given.get("kernel_shape", _ANYTHING), given.get("strides", ())
    if _ANYTHING in (kernel, strides):
        return True
    skips = any(stride > size for stride, size in zip(strides, kernel, strict=False))
    return skips or not _ones(given.get("dilations", ()))


def _padded_max_pool(node: NodeProto, opset: int) -> bool:
    given = _attributes(node)
    pads = given.get("pads", ())
    return (pads is _ANYTHING or any(pads)) and _ones(given.get("strides", ()))


def _automatic(node: NodeProto, opset: int) -> bool:
    return _attributes(node).get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")


def _resized_by_scales(*kinds: bytes) -> Callable[[NodeProto, int], bool]:
    def condition(node: NodeProto, opset: int) -> bool:
        kind = _attributes(node).get("coordinate_transformation_mode", b"half_pixel")
        return (kind is _ANYTHING or kind in kinds) and len(node.input) > 2 and bool(node.input[2])

    return condition


def _cubic_at_the_border(node: NodeProto, opset: int) -> bool:
    given = _attributes(node)
    return given.get("mode", b"linear") in (_ANYTHING, b"cubic", b"bicubic") and not _is(node, "padding_mode", b"zeros")


def _backward_shape(node: NodeProto, opset: int) -> bool:
    given = _attributes(node)
    return any(name in given and (given[name] is _ANYTHING or int(given[name]) < 0) for name in ("start", "end"))


def _stacks(node: NodeProto, opset: int) -> bool:
    """A Loop that stacks what its body makes."""
    body = next((item.g for item in node.attribute if item.name == "body"), None)
    return body is not None and len(body.output) - 1 > len(body.input) - 2


def _causal(node: NodeProto, opset: int) -> bool:
    return not _is(node, "is_causal", 0) and _has_output(3)(node, opset)


def _trains(node: NodeProto, opset: int) -> bool:
    return len(node.input) > 2 and bool(node.input[2])


# -- the table --------------------------------------------------------------------------------------------------------

_RECURRENT = ("GRU", "LSTM", "RNN")
_UNLIKE = "gives other numbers than onnxruntime"
_RANDOM = ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike")
_DRAWS = "draws random numbers of its own"

FAULTS: tuple[Fault, ...] = (
    # The recurrent operators. onnx 1.17 to 1.23.2 where nothing else is said.
    Fault(REFERENCE, _RECURRENT, _has_input(4), "ignores sequence_lens"),
    Fault(REFERENCE, _RECURRENT, _gives("clip"), "ignores clip"),
    Fault(REFERENCE, _RECURRENT, _backward, "walks forward whatever the direction", until="1.23"),
    Fault(REFERENCE, _RECURRENT, _gives("layout", 0), "takes states of layout 1 for those of layout 0", until="1.23"),
    Fault(REFERENCE, ("RNN",), _before(14), "takes X of an opset without layouts for one of layout 1", until="1.23"),
    Fault(REFERENCE, ("LSTM", "GRU"), _other_activations, "computes sigmoid and tanh whatever `activations` says"),
    Fault(REFERENCE, ("RNN",), _second_activation, "takes the first of two directions' activations for both"),
    Fault(REFERENCE, ("LSTM",), _gives("input_forget", 0), "ignores input_forget"),
    Fault(ONNXRUNTIME, _RECURRENT, _softplus, "overflows in Softplus beyond 88, and hides NaN", nonfinite=True),
    Fault(ONNXRUNTIME, ("GRU", "LSTM"), _any, "hides NaN: a gate of NaN gives a number", nonfinite=True),
    Fault(ONNXRUNTIME, ("RNN",), _gives("activations", [b"Tanh"]), "hides NaN in some activations", nonfinite=True),
    # Loops and random numbers.
    Fault(
        REFERENCE,
        ("Loop",),
        _stacks,
        "joins what each iteration makes along an axis that is there, not along a new one",
    ),
    Fault(
        REFERENCE,
        ("Loop",),
        lambda node, opset: not _has_input(1)(node, opset),
        "never runs a Loop without a condition",
    ),
    Fault(REFERENCE, _RANDOM, _any, _DRAWS),
    Fault(ONNXRUNTIME, _RANDOM, _any, _DRAWS),
    Fault(REFERENCE, ("Dropout",), _trains, _DRAWS),
    Fault(ONNXRUNTIME, ("Dropout",), _trains, _DRAWS),
    # What stands beside recurrent layers in networks of pictures and sound.
    Fault(
        REFERENCE,
        ("BatchNormalization",),
        _before(14),
        "normalises by a mixture of the statistics given and the batch's",
    ),
    Fault(REFERENCE, ("LRN",), _any, "normalises only as many channels as there are rows in the batch"),
    Fault(REFERENCE, ("LpNormalization",), _gives("p", 2), "adds up values, not their magnitudes, for p = 1"),
    Fault(
        REFERENCE,
        ("MaxPool", "AveragePool", "LpPool"),
        _odd_window,
        "counts partial and automatically padded windows otherwise",
    ),
    Fault(REFERENCE, ("MaxPool",), _padded_max_pool, "pads the wrong sides where the strides are 1"),
    Fault(REFERENCE, ("MaxPool",), _has_output(1), "counts the indices of the largest otherwise"),
    Fault(REFERENCE, ("Conv",), _automatic, "pads a size that is no multiple of the stride otherwise", until="1.23"),
    Fault(REFERENCE, ("ConvTranspose",), _automatic, "gives other sizes with automatic padding"),
    Fault(REFERENCE, ("GridSample",), _cubic_at_the_border, _UNLIKE + " for cubic samples at the border"),
    Fault(REFERENCE, ("RoiAlign",), _before(16), "has the half pixel that came with opset 16"),
    Fault(REFERENCE, ("Resize",), _resized_by_scales(b"pytorch_half_pixel"), _UNLIKE + " where an axis becomes 1 long"),
    Fault(REFERENCE, ("Shape",), _backward_shape, "cuts a shape from its end otherwise"),
    Fault(
        ONNXRUNTIME,
        ("Resize",),
        _resized_by_scales(b"align_corners"),
        "aligns corners by rounded sizes, not by the scales",
    ),
    Fault(ONNXRUNTIME, ("MaxUnpool",), _has_input(2), "puts values elsewhere where the shape of the output is given"),
    Fault(ONNXRUNTIME, ("DFT",), _any, "is off by up to 2e-4 in float32"),
    Fault(ONNXRUNTIME, ("Attention",), _causal, "hands out scores that are masked otherwise"),
)


@cache
def _rows(runner: str, nonfinite: bool) -> dict[str, list[Fault]]:
    """Return the rows that hold for the version installed, by operator."""
    seen = _version(onnx.__version__ if runner == REFERENCE else onnxruntime.__version__)
    found: dict[str, list[Fault]] = {}
    for row in FAULTS:
        if row.runner == runner and row.nonfinite <= nonfinite and (not row.until or seen < _version(row.until)):
            for operator in row.operators:
                found.setdefault(operator, []).append(row)
    return found


def _version(text: str) -> tuple[int, ...]:
    numbers = (part for part in text.split(".")[:3])
    return tuple(int(part) if part.isdigit() else 0 for part in numbers)


def faults_of(
    nodes: Iterable[NodeProto], opset: int, runner: str, nonfinite: bool = False
) -> Iterator[tuple[NodeProto, Fault]]:
    """Yield each node that a runner is known to get wrong, and why.

    Args:
        nodes: the nodes; see `all_nodes`, which finds those of bodies and functions too.
        opset: the version of ONNX's own operators.
        runner: `REFERENCE` or `ONNXRUNTIME`.
        nonfinite: count what is wrong only where NaN or an infinity comes in.
    """
    rows = _rows(runner, nonfinite)
    for node in nodes:
        if node.domain in _OWN:
            for row in rows.get(node.op_type, ()):
                if row.condition(node, opset):
                    yield node, row
                    break


def why_aside(model: ModelProto, runner: str, nonfinite: bool = False) -> str:
    """Return why a runner is no witness for a model, naming the nodes; empty where nothing is known against it."""
    opset = next((item.version for item in model.opset_import if item.domain in _OWN), 1)
    functions = {(item.domain, item.name) for item in model.functions}
    nodes = (node for node in all_nodes(model) if (node.domain, node.op_type) not in functions)
    by_reason: dict[str, list[str]] = {}
    for node, row in faults_of(nodes, opset, runner, nonfinite):
        by_reason.setdefault(f"{node.op_type}: it {row.why}", []).append(_called(node))
    told = [f"{reason} (of {_listed(names)})" for reason, names in by_reason.items()]
    return "; ".join(told[:_TOLD]) + (f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else "")


def _called(node: NodeProto) -> str:
    return repr(node.name) if node.name else f"the node that makes {next((name for name in node.output if name), '')!r}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
