"""What a node computes, as a formula: ``c = f * c[0] + i * j``."""

from __future__ import annotations

from unroll.ops.filling import ConstantOfShape
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Placeholder, Tensor
from unroll.viz.dot_text import MINUS, SIGMA, TIMES
from unroll.viz.values import inline, number

_INFIX = {
    "Add": "+", "Sub": MINUS, "Mul": TIMES, "Div": "/", "MatMul": "@", "Pow": "^", "Equal": "=", "Less": "<", "Greater": ">",
    "And": "and",
}  # fmt: skip
_CALLS = {
    "Abs": "abs", "Elu": "elu", "Exp": "exp", "HardSigmoid": f"hard {SIGMA}", "LeakyRelu": "leaky relu", "Log": "log",
    "Neg": MINUS, "Not": "not ", "Relu": "relu", "Sigmoid": SIGMA, "Softmax": "softmax", "Softplus": "softplus",
    "Softsign": "softsign", "Sqrt": "sqrt", "Tanh": "tanh",
}  # fmt: skip
_LONGEST, _DEEPEST = 26, 3


def formula(node: Node) -> str:
    """Return a short formula of a node, or nothing where its operator's name says enough."""
    text = _applied(node, _DEEPEST)
    if text is None:
        return ""
    name = _named(node.outputs[0], node)
    result = f"{name} = {text}" if name and len(node.outputs) == 1 else text
    return result if len(result) <= _LONGEST else text if len(text) <= _LONGEST else ""


def _applied(node: Node, depth: int) -> str | None:
    name = node.op.name
    operands = [_operand(tensor, node, depth) for tensor in node.inputs]
    if name in _INFIX and len(operands) == 2:
        return f" {_INFIX[name]} ".join(operands)
    if name == "Concat" and len(operands) <= 3:
        return f"[{', '.join(operands)}]"
    if len(operands) == 1 and name in _CALLS:
        return f"{_CALLS[name]}({operands[0]})"
    return None


def _operand(tensor: Tensor | None, reader: Node, depth: int) -> str:
    """Return the name of an operand, its value, or, where it has neither, what makes it."""
    if tensor is None:
        return ""
    if isinstance(tensor, Constant):
        return tensor.hint or inline(tensor)
    if tensor.node is not None and isinstance(tensor.node.op, ConstantOfShape):
        return number(tensor.node.op.value)
    name = _named(tensor, reader)
    if name:
        return name
    if tensor.node is None or depth == 0:
        return "·"
    if len(tensor.node.outputs) > 1:
        return f"{tensor.node.op.name.lower()}:{tensor.index}"
    inner = _applied(tensor.node, depth - 1)
    if inner is None or len(inner) > _LONGEST // 2:
        return "·"
    bracketed = tensor.node.op.name in ("Add", "Sub") and _INFIX.get(reader.op.name, "+") not in ("+", MINUS)
    return f"({inner})" if bracketed else inner


def _named(tensor: Tensor, reader: Node) -> str:
    """Return a tensor's short name, with its timestep, and loop, where they are not the reader's; nothing where it has none."""
    if isinstance(tensor, (Parameter, Placeholder)):
        return tensor.name.rpartition("/")[2]
    if tensor.node is None or tensor.hint is None:
        return ""
    origin = tensor.node.origin
    name = tensor.hint.rpartition("/")[2] or origin.scope.rpartition("/")[2]
    if name == "preactivation":
        name = f"z_{tensor.hint.split('/')[0]}"
    if origin.step is None or origin.step == reader.origin.step:
        return name
    loop, other = ((item.cell or "").partition("/")[0] for item in (origin, reader.origin))
    of = f"{loop} " if loop and other and loop != other else ""  # another loop has steps of the same numbers
    return f"{of}{name}[{origin.step}]"
