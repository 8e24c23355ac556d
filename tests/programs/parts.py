"""The parts of a cell that is written by hand, each in many ways: products, biases, gates, activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from programs.material import Material
from unroll import ops
from unroll.tensor import Tensor

Function = Callable[[Tensor], Tensor]

#: Ways to write the logistic function, the plainest first; some are another function.
GATES: dict[str, tuple[float, Function]] = {
    "sigmoid": (8, ops.sigmoid),
    "1/(1+exp(-x))": (1, lambda x: 1.0 / (1.0 + ops.exp(-x))),
    "by tanh": (0.5, lambda x: 0.5 * ops.tanh(0.5 * x) + 0.5),
    "1 - sigmoid(-x)": (0.5, lambda x: 1.0 - ops.sigmoid(-x)),
    "hard_sigmoid": (1, ops.hard_sigmoid),
    "hard_sigmoid of Keras": (0.5, lambda x: ops.clip(x / 6.0 + 0.5, 0, 1)),
    "tanh": (0.5, ops.tanh),
    "relu": (0.3, ops.relu),
    "identity": (0.3, ops.identity),
}
#: Ways to write an activation.
ACTIVATIONS: dict[str, tuple[float, Function]] = {
    "tanh": (8, ops.tanh),
    "2*sigmoid(2x)-1": (0.5, lambda x: 2.0 * ops.sigmoid(2.0 * x) - 1.0),
    "relu": (1, ops.relu),
    "softsign": (0.5, ops.softsign),
    "x/(1+|x|)": (0.3, lambda x: x / (1.0 + ops.abs(x))),
    "elu": (0.4, ops.elu),
    "leaky_relu": (0.4, lambda x: ops.leaky_relu(x, 0.3)),
    "softplus": (0.4, ops.softplus),
    "sigmoid": (0.5, ops.sigmoid),
    "identity": (0.5, ops.identity),
    "scaled tanh": (0.4, lambda x: 1.7 * ops.tanh(0.66 * x)),
    "erf": (0.3, ops.erf),
    "tanh of tanh": (0.3, lambda x: ops.tanh(ops.tanh(x))),
    "clipped": (0.3, lambda x: ops.clip(x, -0.75, 0.5)),
    "relu by max": (0.3, lambda x: ops.maximum(x, ops.mul(x, 0.0))),
    "where": (0.2, lambda x: ops.where(ops.greater(ops.identity(x), 0.0), x, 0.25 * x)),
    "divided by zeros": (0.3, lambda x: ops.tanh(x / 0.0)),
}
PRODUCTS = {
    "concat": 3, "x + h": 3, "h + x": 2, "gemm": 1, "turned gemm": 1, "gemm of h": 1, "gemm with factors": 0.5,
    "x in two": 0.5, "h in two": 0.5, "h twice": 0.5, "concat turned": 0.5, "half of x": 0.5, "x of (h, x)": 0.5,
    "diagonal h": 0.4, "no x": 0.2, "no h": 0.2,
}  # fmt: skip
BIASES = {
    "one": 4, "none": 2, "two": 2, "first": 1, "row": 0.5, "column": 0.4, "scalar": 0.4, "number": 0.4, "rank 3 flat": 0.2,
    "twice": 0.3,
}  # fmt: skip


def gate(material: Material, name: str) -> Function:
    """Return a gate's function."""
    return GATES[material.choices.quirk(name, {key: share for key, (share, _) in GATES.items()})][1]


def activation(material: Material, name: str) -> Function:
    """Return an activation."""
    return ACTIVATIONS[material.choices.quirk(name, {key: share for key, (share, _) in ACTIVATIONS.items()})][1]


def products(material: Material, name: str, x: Tensor, h: Tensor, columns: int, twin: str = "") -> Tensor:
    """Return what a cell adds up of its input and its state, and its bias, ``(batch, columns)``.

    Args:
        material: where weights come from.
        name: of the weights, and of the choices made for them.
        x: the input.
        h: the state.
        columns: how many columns the weights have.
        twin: appended to the names of the weights, of a step that reads others; ``"="`` has equal values, and ``"~"`` is
            a step with its gates in another order.
    """
    width, units = int(x.shape[-1]), int(h.shape[-1])
    way = material.choices.pick(f"{name}/product", PRODUCTS)

    def weight(part: str, *shape: int) -> Tensor:
        full = f"{name}/{part}"
        if twin == "~":
            return material.weight(full, *shape)
        if twin == "=":
            return material.equal_weight(f"{full}/equal", full, *shape)
        return material.weight(full + twin, *shape)

    if h.shape[0] != x.shape[0] and way in ("concat", "x of (h, x)", "concat turned", "gemm", "gemm of h"):
        h = ops.expand(h, ops.concat([ops.shape(x)[:1], [units]], 0))
    b = _bias(material, name, weight, columns)
    wx, wh = (lambda: weight("wx", width, columns)), (lambda: weight("wh", units, columns))
    if way == "concat":
        return b(ops.concat([x, h], -1) @ weight("kernel", width + units, columns))
    if way == "x of (h, x)":
        return b(ops.concat([h, x], -1) @ weight("kernel", width + units, columns))
    if way == "concat turned":
        return b(ops.gemm(ops.concat([x, h], -1), weight("kernelt", columns, width + units), transB=True))
    if way == "h + x":
        return b(h @ wh() + x @ wx())
    if way == "gemm":
        return ops.gemm(ops.concat([x, h], -1), weight("kernel", width + units, columns), weight("bias", columns))
    if way == "turned gemm":
        first = ops.gemm(x, weight("wxt", columns, width), weight("bias", columns), transB=True)
        return first + ops.gemm(h, weight("wht", columns, units), weight("bias2", columns), transB=True)
    if way == "gemm of h":
        return b(ops.gemm(h, wh(), x @ wx()))
    if way == "gemm with factors":
        return ops.gemm(x, wx(), weight("bias", columns), alpha=0.5, beta=2.0) + ops.gemm(h, wh(), alpha=0.75)
    if way == "x in two" and width > 1:
        return b((x[:, :1] @ weight("wx1", 1, columns) + x[:, 1:] @ weight("wx2", width - 1, columns)) + h @ wh())
    if way == "h in two":
        return b(x @ wx() + (h[:, :1] @ weight("wh1", 1, columns) + h[:, 1:] @ weight("wh2", units - 1, columns)))
    if way == "h twice":
        return b(x @ wx() + h @ wh() + h @ weight("wh2", units, columns))
    if way == "half of x":
        return b((0.5 * x) @ wx() + (h @ wh()) * 0.5)
    if way == "diagonal h" and columns % units == 0:
        own = h * weight("u", units)
        return b(x @ wx() + (own if columns == units else ops.concat([own] * (columns // units), -1)))
    if way == "no x":
        return b(h @ wh())
    if way == "no h":
        return b(x @ wx())
    return b(x @ wx() + h @ wh())


def _bias(material: Material, name: str, weight: Callable[..., Tensor], columns: int) -> Function:
    """Return the function that adds a bias."""
    way = material.choices.pick(f"{name}/bias", BIASES)
    if way == "none":
        return lambda z: z
    if way == "number":
        return lambda z: z + 0.3
    shapes = {"row": (1, columns), "column": (1, 1), "scalar": (), "rank 3 flat": (1,)}
    if way in shapes:
        return lambda z: z + weight("bias", *shapes[way])
    if way == "first":
        return lambda z: weight("bias", columns) + z
    if way == "two":
        return lambda z: (z + weight("bias", columns)) + weight("bias2", columns)
    if way == "twice":
        return lambda z: (z + weight("bias", columns)) + weight("bias", columns)
    return lambda z: z + weight("bias", columns)


CUTS = {"split": 4, "slices": 2, "sizes": 1, "gather": 0.3, "own weights": 2}


def gates(
    material: Material, name: str, x: Tensor, h: Tensor, names: Sequence[str], twin: str = ""
) -> dict[str, Tensor]:
    """Return what each gate is a function of, cut from one product or each from its own; their order is drawn."""
    units = int(h.shape[-1])
    way = material.choices.pick(f"{name}/cut", CUTS)
    if way == "own weights" or len(names) == 1:
        return {item: products(material, f"{name}/{item}", x, h, units, twin) for item in names}
    z = products(material, name, x, h, units * len(names), twin)
    order = [names[place] for place in material.choices.rng(f"{name}/order").permutation(len(names))]
    if twin == "~":
        order = order[1:] + order[:1]
    if way == "slices":
        return {item: z[:, units * place : units * (place + 1)] for place, item in enumerate(order)}
    if way == "gather":
        places = [list(range(units * place, units * (place + 1))) for place in range(len(names))]
        return {item: ops.gather(z, places[place], 1) for place, item in enumerate(order)}
    pieces = ops.split(z, [units] * len(names) if way == "sizes" else len(names), -1)
    return dict(zip(order, pieces, strict=True))
