"""The cases of make_keras_around.py: layers around recurrent ones, their arguments and inputs. Keras is not imported here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Spec = dict[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One layer, and what it is called on.

    `masks` holds for each input the name of a pattern of `keras_cases.MASKS`, which the tensor carries, or None; `call` the
    keywords of the call, and `arrays` the shapes of bool arrays that are keywords too. `compiled` has XLA compile the call.
    """

    id: str
    layer: str
    kwargs: Spec
    shapes: tuple[Shape, ...]
    masks: tuple[str | None, ...] = ()
    call: Spec = field(default_factory=dict)
    arrays: dict[str, Shape] = field(default_factory=dict)
    apart: bool = False  #: the inputs are arguments of their own, and no list
    compiled: bool = False


SEQ, IMAGE, ROW, CUBE = (3, 7, 4), (2, 6, 5, 4), (3, 4), (2, 4, 5, 3, 2)
FIRST, IMAGE_FIRST = (3, 4, 7), (2, 4, 6, 5)


def one(layer: str, shape: Shape, *options: Spec, **more: Any) -> Iterator[Case]:
    """Cases of a layer on one tensor, by its arguments."""
    for kwargs in options or ({},):
        text = "-".join(f"{name}={value}" for name, value in kwargs.items()).replace(" ", "")
        extra = "-".join(["mask" for _ in more.get("masks", ())] + ["x".join(map(str, shape))])
        yield Case(f"{layer}-{text}-{extra}".replace("--", "-"), layer, kwargs, (shape,), **more)


def several(layer: str, id: str, kwargs: Spec, *shapes: Shape, **more: Any) -> Case:
    """A case of a layer on several tensors."""
    return Case(f"{layer}-{id}", layer, kwargs, shapes, **more)


def convolutions() -> Iterator[Case]:
    conv: Spec = {"filters": 6, "kernel_size": 3}
    for padding in ("valid", "same", "causal"):
        yield from one("Conv1D", SEQ, conv | {"padding": padding}, conv | {"padding": padding, "strides": 2})
        yield from one("Conv1D", SEQ, conv | {"padding": padding, "dilation_rate": 2, "activation": "relu"})
    yield from one(
        "Conv1D", SEQ, conv | {"groups": 2, "use_bias": False}, {"filters": 2, "kernel_size": 4, "padding": "same"}
    )
    first = {"data_format": "channels_first"}
    yield from one("Conv1D", FIRST, conv | first, conv | first | {"padding": "causal", "strides": 2}, compiled=True)
    image: Spec = {"filters": 3, "kernel_size": (3, 2)}
    for padding in ("valid", "same"):
        yield from one("Conv2D", IMAGE, image | {"padding": padding}, image | {"padding": padding, "strides": (2, 1)})
        yield from one("Conv2D", IMAGE, image | {"padding": padding, "dilation_rate": 2})
    yield from one("Conv2D", IMAGE, {"filters": 4, "kernel_size": 2, "groups": 4, "activation": "tanh"})
    # XLA adds a bias along another axis than Keras asks for.
    unbiased: Spec = {"padding": "same", "strides": 2, "use_bias": False}
    yield from one("Conv2D", IMAGE_FIRST, image | first | unbiased, compiled=True)
    yield from one(
        "Conv3D", CUBE, {"filters": 2, "kernel_size": 2, "padding": "same"}, {"filters": 2, "kernel_size": (2, 3, 1)}
    )
    for shape, name in ((SEQ, "1D"), (IMAGE, "2D")):
        for padding in ("valid", "same"):
            each: Spec = {"kernel_size": 3, "padding": padding}
            yield from one(f"DepthwiseConv{name}", shape, each, each | {"depth_multiplier": 2, "strides": 2})
            both = {"filters": 5, "kernel_size": 3, "padding": padding}
            yield from one(
                f"SeparableConv{name}", shape, both, both | {"depth_multiplier": 2, "strides": 2, "activation": "relu"}
            )
        yield from one(f"DepthwiseConv{name}", shape, {"kernel_size": 2, "dilation_rate": 2, "use_bias": False})
        yield from one(
            f"SeparableConv{name}", shape, {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}
        )


def poolings() -> Iterator[Case]:
    for kind in ("Max", "Average"):
        for padding in ("valid", "same"):
            pad = {"padding": padding}
            yield from one(
                f"{kind}Pooling1D",
                SEQ,
                {"pool_size": 2, **pad},
                {"pool_size": 3, "strides": 1, **pad},
                {"pool_size": 2, "strides": 3, **pad},
            )
            yield from one(
                f"{kind}Pooling2D", IMAGE, {"pool_size": 2, **pad}, {"pool_size": (3, 2), "strides": (1, 2), **pad}
            )
        first = {"pool_size": 2, "data_format": "channels_first"}
        yield from one(f"{kind}Pooling1D", FIRST, first, compiled=True)
        yield from one(f"{kind}Pooling2D", IMAGE_FIRST, first, compiled=True)
        for places, shape, turned in (("1D", SEQ, FIRST), ("2D", IMAGE, IMAGE_FIRST)):
            yield from one(f"Global{kind}Pooling{places}", shape, {}, {"keepdims": True})
            yield from one(f"Global{kind}Pooling{places}", turned, {"data_format": "channels_first"})
    yield from one("GlobalAveragePooling1D", SEQ, {}, {"keepdims": True}, masks=("end",))
    yield from one("MaxPooling1D", SEQ, {"pool_size": 2}, masks=("end",))


def shapes() -> Iterator[Case]:
    yield from one("Flatten", SEQ, {}, {"data_format": "channels_first"})
    yield from one("Flatten", IMAGE, {"data_format": "channels_first"})
    yield from one("Flatten", (3,))
    yield from one("Flatten", SEQ, masks=("end",))
    yield from one("Reshape", SEQ, {"target_shape": (4, 7)}, {"target_shape": (-1,)}, {"target_shape": (2, -1, 7)})
    yield from one("Permute", SEQ, {"dims": (2, 1)})
    yield from one("Permute", IMAGE, {"dims": (3, 1, 2)})
    yield from one("RepeatVector", ROW, {"n": 5}, {"n": 1})
    yield from one("ZeroPadding1D", SEQ, {}, {"padding": 2}, {"padding": (3, 0)})
    yield from one("ZeroPadding1D", FIRST, {"padding": (1, 2), "data_format": "channels_first"})
    yield from one("ZeroPadding2D", IMAGE, {}, {"padding": 2}, {"padding": (1, 0)}, {"padding": ((1, 2), (0, 3))})
    yield from one("Cropping1D", SEQ, {}, {"cropping": 2}, {"cropping": (0, 3)}, {"cropping": (2, 0)})
    yield from one("Cropping2D", IMAGE, {"cropping": 1}, {"cropping": ((1, 0), (0, 2))})
    yield from one("UpSampling1D", SEQ, {}, {"size": 3}, {"size": 1})
    yield from one("UpSampling2D", IMAGE, {}, {"size": (1, 3)})
    yield from one("UpSampling2D", IMAGE_FIRST, {"size": (2, 1), "data_format": "channels_first"})


def elementwise() -> Iterator[Case]:
    yield from one("Activation", ROW, {"activation": "tanh"}, {"activation": "softmax"})
    yield from one("Activation", SEQ, {"activation": "relu"}, masks=("end",))
    yield from one("ReLU", ROW, {}, {"max_value": 1.0}, {"negative_slope": 0.2}, {"threshold": 0.5})
    yield from one("ReLU", ROW, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.25})
    yield from one("LeakyReLU", ROW, {}, {"negative_slope": 0.05})
    yield from one("ELU", ROW, {}, {"alpha": 0.5})
    yield from one("PReLU", SEQ, {}, {"shared_axes": [1]}, {"shared_axes": [1, 2]})
    yield from one("PReLU", ROW, masks=())
    yield from one("Softmax", ROW, {}, {"axis": 0})
    yield from one("Softmax", SEQ, {"axis": 1}, {"axis": [1, 2]})
    yield Case("Softmax-mask", "Softmax", {}, (SEQ,), arrays={"mask": SEQ})
    yield from one("LayerNormalization", SEQ, {"axis": [1, 2]}, masks=("end",))
    noises: dict[str, Spec] = {
        "Dropout": {"rate": 0.5}, "AlphaDropout": {"rate": 0.5}, "GaussianDropout": {"rate": 0.5},
        "GaussianNoise": {"stddev": 0.5}, "SpatialDropout1D": {"rate": 0.5},
    }  # fmt: skip
    for name, kwargs in noises.items():
        yield from one(name, SEQ, kwargs, masks=("start",))
    yield from one("SpatialDropout2D", IMAGE, {"rate": 0.5})


def normalizations() -> Iterator[Case]:
    yield from one("BatchNormalization", SEQ, {}, {"center": False}, {"scale": False, "epsilon": 0.1}, {"axis": 1})
    yield from one("BatchNormalization", IMAGE, {}, {"axis": 1})
    yield from one("BatchNormalization", ROW, {"center": False, "scale": False})
    yield from one("BatchNormalization", SEQ, masks=("end",))
    yield from one(
        "GroupNormalization", SEQ, {"groups": 2}, {"groups": -1}, {"groups": 1, "scale": False, "epsilon": 0.1}
    )
    yield from one("GroupNormalization", IMAGE, {"groups": 2}, {"groups": 4, "center": False})
    yield from one("GroupNormalization", IMAGE, {"groups": 3, "axis": 1})
    yield from one("UnitNormalization", SEQ, {}, {"axis": 1}, {"axis": [1, 2]}, masks=("end",))


def merges() -> Iterator[Case]:
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        yield several(name, "two", {}, SEQ, SEQ)
        if name != "Subtract":
            yield several(name, "three", {}, ROW, ROW, ROW)
        yield several(name, "broadcast", {}, SEQ, (3, 1, 4))
        yield several(name, "ranks", {}, SEQ, ROW)
        yield several(name, "masks", {}, SEQ, SEQ, masks=("end", "middle"))
        yield several(name, "one-mask", {}, SEQ, SEQ, masks=(None, "start"))
    yield several("Maximum", "three-masks", {}, SEQ, SEQ, SEQ, masks=("end", "whole", "start"))
    yield several("Multiply", "three-masks", {}, SEQ, SEQ, SEQ, masks=("end", "whole", "end"))
    yield several("Concatenate", "features", {}, SEQ, (3, 7, 2))
    yield several("Concatenate", "time", {"axis": 1}, SEQ, (3, 2, 4), SEQ)
    yield several("Concatenate", "features-masks", {}, SEQ, SEQ, masks=("end", "middle"))
    yield several("Concatenate", "features-one-mask", {}, SEQ, (3, 7, 2), masks=("end", None))
    yield several("Concatenate", "time-masks", {"axis": 1}, SEQ, SEQ, masks=("end", "start"))
    yield several("Concatenate", "time-one-mask", {"axis": -2}, SEQ, SEQ, masks=(None, "start"))
    yield several("Dot", "rows", {"axes": 1}, ROW, ROW)
    yield several("Dot", "rows-normalize", {"axes": -1, "normalize": True}, ROW, ROW)
    yield several("Dot", "sequences", {"axes": 2}, SEQ, (3, 5, 4))
    yield several("Dot", "sequences-normalize", {"axes": (2, 1), "normalize": True}, SEQ, (3, 4, 5))
    yield several("Dot", "time", {"axes": (1, 2)}, SEQ, (3, 5, 7))
    yield several("Dot", "row-and-sequence", {"axes": (1, 2)}, ROW, SEQ)
    yield several("Dot", "sequence-and-row", {"axes": (2, 1)}, SEQ, ROW)
    yield several("Dot", "image-and-sequence", {"axes": (3, 2)}, (3, 6, 5, 4), SEQ)


def attentions() -> Iterator[Case]:
    query, value = (3, 2, 4), SEQ
    for name, options in (
        ("Attention", ({}, {"use_scale": True}, {"score_mode": "concat"}, {"score_mode": "concat", "use_scale": True})),
        ("AdditiveAttention", ({}, {"use_scale": False})),
    ):
        for place, kwargs in enumerate(options):
            yield several(name, f"two-{place}", kwargs, query, value)
            yield several(name, f"scores-{place}", kwargs, query, value, SEQ, call={"return_attention_scores": True})
        yield several(name, "causal", {}, SEQ, SEQ, call={"use_causal_mask": True})
        yield several(name, "value-mask", {}, query, value, masks=(None, "end"), call={"return_attention_scores": True})
        yield several(name, "masks-causal", {}, SEQ, SEQ, masks=("end", "end"), call={"use_causal_mask": True})
        yield several(name, "whole-masks", {}, SEQ, SEQ, masks=("whole", "whole"))
        yield several(name, "dropout", {"dropout": 0.5}, query, value)
    heads: Spec = {"num_heads": 2, "key_dim": 3}
    scores = {"return_attention_scores": True}
    for id, kwargs in {
        "two": {}, "value-dim": {"value_dim": 2}, "no-bias": {"use_bias": False}, "output": {"output_shape": 5},
        "axes": {"attention_axes": 1}, "window": {"sliding_window": 2}, "gate": {"use_gate": True}, "dropout": {"dropout": 0.5},
    }.items():  # fmt: skip
        yield several("MultiHeadAttention", id, heads | kwargs, query, value, apart=True)
    many: dict[str, Any] = {"apart": True}
    yield several("MultiHeadAttention", "key", heads, query, SEQ, (3, 7, 5), **many)
    yield several("MultiHeadAttention", "scores", heads, query, value, call=scores, **many)
    yield several("MultiHeadAttention", "causal", heads, SEQ, SEQ, call={"use_causal_mask": True}, **many)
    yield several(
        "MultiHeadAttention", "causal-scores", heads, SEQ, SEQ, call={"use_causal_mask": True, **scores}, **many
    )
    yield several("MultiHeadAttention", "masks", heads, SEQ, SEQ, masks=("end", "middle"), **many)
    yield several("MultiHeadAttention", "masks-scores", heads, SEQ, SEQ, masks=("end", "middle"), call=scores, **many)
    yield several(
        "MultiHeadAttention",
        "masks-causal",
        heads,
        SEQ,
        SEQ,
        masks=("end", "end"),
        call={"use_causal_mask": True},
        **many,
    )
    yield several("MultiHeadAttention", "key-mask", heads, query, SEQ, SEQ, masks=(None, "end", "start"), **many)
    yield several(
        "MultiHeadAttention", "attention-mask", heads, query, value, arrays={"attention_mask": (3, 2, 7)}, **many
    )
    yield several(
        "MultiHeadAttention", "heads-mask", heads, query, value, arrays={"attention_mask": (3, 2, 2, 7)}, **many
    )


def all_cases() -> list[Case]:
    makers = (convolutions, poolings, shapes, elementwise, normalizations, merges, attentions)
    return [case for maker in makers for case in maker()]
