"""Networks written by hand: layers in both directions, stacked and side by side, and what is read of them."""

from __future__ import annotations

import unroll
from programs import parts
from programs.choices import Choices
from programs.layer import Layer
from programs.material import Material
from unroll import ops
from unroll.tensor import Tensor

BETWEEN = {
    "nothing": 8, "tanh": 0.5, "scaled": 0.5, "bias": 0.5, "dense": 0.7, "identity": 0.3, "stack and unstack": 0.7,
    "negated": 0.3, "row": 0.3, "columns": 0.3,
}  # fmt: skip


def between(m: Material, name: str, xs: list[Tensor]) -> list[Tensor]:
    """Return what a layer reads of what the one below made."""
    way = m.choices.quirk(f"{name}/between", BETWEEN)
    width = int(xs[0].shape[-1])
    if way == "stack and unstack":
        axis = m.choices.whole(f"{name}/axis", 0, 1)
        return ops.unstack(ops.stack(xs, axis), axis)
    one = {
        "tanh": ops.tanh,
        "scaled": lambda x: x * 0.5,
        "bias": lambda x: x + m.weight(f"{name}/between/bias", width),
        "dense": lambda x: ops.tanh(x @ m.weight(f"{name}/between/dense", width, width)),
        "identity": ops.identity,
        "negated": ops.neg,
        "row": lambda x: x * m.weight(f"{name}/between/row", 1, width),
        "columns": lambda x: ops.concat([x[:, 1:], x[:, :1]], -1),
    }
    return [one[way](x) for x in xs] if way in one else xs


DIRECTIONS = {
    "forward": 8,
    "backward": 1.5,
    "both": 1.5,
    "both, added": 0.7,
    "both, one set of weights": 0.5,
    "twice": 0.5,
}


def layer_of(
    m: Material, name: str, xs: list[Tensor], units: int, weights: str = ""
) -> tuple[list[Tensor], list[Layer]]:
    """Return what a layer makes of each step in the directions that are chosen, and the layers themselves."""
    way = m.choices.quirk(f"{name}/direction", DIRECTIONS)
    if way in ("forward", "twice"):
        one = Layer(m, name, xs, units, weights)
        if way == "twice":  # the same weights over its own outputs, where they fit
            other = Layer(m, f"{name}b", xs if xs[0].shape[-1] != units else one.outputs, units, one.weights)
            return other.outputs, [one, other]
        return one.outputs, [one]
    back = Layer(m, f"{name}b", xs[::-1], units, weights if way == "backward" else f"{name}b")
    if way == "backward":
        return back.outputs[::-1], [back]
    ahead = Layer(m, name, xs, units, f"{name}b" if way == "both, one set of weights" else weights)
    pairs = list(zip(ahead.outputs, back.outputs[::-1], strict=True))
    if way == "both, added":
        return [a + b for a, b in pairs], [ahead, back]
    return [ops.concat(pair, -1) for pair in pairs], [ahead, back]


SECOND = {
    "none": 6, "stacked": 4, "stacked, skipped": 1, "stacked, same weights": 1, "beside": 1, "beside, same weights": 1,
    "decoder": 1, "decoder, reading itself": 0.7,
}  # fmt: skip


def written(choices: Choices) -> unroll.Graph:
    """Return a network of one or two layers written by hand."""
    m = Material(choices)
    units = m.units()
    width = units if choices.flag("width of units") else 5 - units + 1
    xs = m.sequence("x", width)
    ys, layers = layer_of(m, "l0", between(m, "in", xs), units)
    second = choices.quirk("second", SECOND)
    more: list[Tensor] = []
    if second.startswith("stacked"):
        below = between(m, "l1", ys)
        if second == "stacked, cast":
            m.dtype = "float32" if m.dtype == "float64" else "float64"
            below = [ops.cast(y, m.dtype) for y in below]
        weights = "l0" if second.endswith("same weights") and below[0].shape[-1] == width else ""
        upper, others = layer_of(m, "l1", below, units, weights)
        fits = second == "stacked, skipped" and upper[0].shape == ys[0].shape
        ys = [a + b for a, b in zip(upper, ys, strict=True)] if fits else upper
        layers = others + layers[:0]
    elif second.startswith("beside"):
        if second == "beside, of another dtype":
            m.dtype = "float32" if m.dtype == "float64" else "float64"
            xs = [ops.cast(x, m.dtype) for x in xs]
        other = m.sequence("v", width) if choices.flag("beside/own input") else xs
        more, others = layer_of(m, "l1", other, units, "l0" if second.endswith("same weights") else "")
        layers += others
    elif second.startswith("decoder"):
        more = _decoded(m, layers[0], units, second.endswith("itself"))
    return unroll.Graph(m.inputs, _outputs(m, ys, more, layers))


def _decoded(m: Material, encoder: Layer, units: int, reading_itself: bool) -> list[Tensor]:
    """Return what a plain RNN says that starts where the encoder ended."""
    h, said, found = encoder.last[0], encoder.last[1], []
    act = parts.activation(m, "decoder/activation")
    for _ in range(m.steps):
        read = said if reading_itself else encoder.last[0]
        h = act(read @ m.weight("decoder/wx", units, units) + h @ m.weight("decoder/wh", units, units))
        said = h @ m.weight("decoder/out", units, units) + m.weight("decoder/bias", units)
        found.append(said)
    return found


OUTPUTS = {
    "stacked": 4, "each": 2, "last": 2, "every other": 1, "stacked on axis 1": 2, "backwards": 0.7, "middle": 0.7,
    "concatenated": 0.5, "mean": 0.4, "states": 1.5,
}  # fmt: skip
READ = {"nothing": 8, "c": 1, "last c": 1.5, "within": 1, "within, all": 0.5, "h before": 0.5}


def _outputs(m: Material, ys: list[Tensor], more: list[Tensor], layers: list[Layer]) -> dict[str, Tensor]:
    way, read = m.choices.pick("outputs", OUTPUTS), m.choices.quirk("also read", READ)
    found: dict[str, Tensor] = {}
    for key, steps in (("y", ys), ("more", more)):
        if steps:
            found |= {f"{key}{name}": tensor for name, tensor in _of_steps(way, steps).items()}
    rng = m.choices.rng("also read")
    if way == "states" or read == "last c":
        found |= {f"{layer.name}/last/{place}": t for layer in layers for place, t in enumerate(layer.last)}
    for layer in layers:
        if read == "within, all":
            found |= {f"{layer.name}/inner{place}": tensor for place, tensor in enumerate(layer.inner)}
        elif read in ("within", "c", "h before") and layer.inner:
            chosen = layer.inner[int(rng.integers(len(layer.inner)))]
            found[f"{layer.name}/inner"] = ops.neg(chosen)
            if read == "h before":
                found[f"{layer.name}/before"] = layer.outputs[int(rng.integers(len(layer.outputs)))] * 2.0
    return found


def _of_steps(way: str, ys: list[Tensor]) -> dict[str, Tensor]:
    if way == "each":
        return {f"/{step}": y for step, y in enumerate(ys)}
    if way in ("last", "states"):
        return {"/last": ys[-1]}
    if way == "every other":
        return {f"/{step}": y for step, y in enumerate(ys) if step % 2 == 0}
    if way == "middle":
        return {"/middle": ys[len(ys) // 2], "/last": ys[-1]}
    if way == "concatenated":
        return {"/joined": ops.concat(ys, -1)}
    if way == "mean":
        return {"/mean": ops.reduce_mean(ops.stack(ys, 0), [0])}
    if way == "backwards":
        return {"/stacked": ops.stack(ys[::-1], 0)}
    return {"/stacked": ops.stack(ys, 1 if way.endswith("1") else 0)}
