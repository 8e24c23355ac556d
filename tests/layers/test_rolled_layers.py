"""What layers promise of loops: with ``rolled=True``, or over a time that is a symbol, the numbers of the unrolled layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused

import unroll
from unroll import Graph, layers

STEPS, ROWS = 5, 2
ROW, IMAGE = (3,), (6, 5, 2)

Make = Callable[..., Any]


def around(cell: Callable[[], Any]) -> Make:
    return lambda **options: layers.RNN(cell(), **options)


def both(merge: str | None, make: Make = layers.LSTM) -> Make:
    return lambda **options: layers.Bidirectional(make(4, **options) if make is layers.LSTM else make(**options), merge)


LAYERS: dict[str, Make] = {
    "simple": lambda **options: layers.SimpleRNN(4, **options),
    "lstm": lambda **options: layers.LSTM(4, **options),
    "gru": lambda **options: layers.GRU(4, **options),
    "gru before": lambda **options: layers.GRU(4, reset_after=False, **options),
    "stack": around(lambda: [layers.LSTMCell(4), layers.GRUCell(3)]),
    "tensorflow's": around(lambda: unroll.cells.UGRNNCell(4)),
    "conv": lambda **options: layers.ConvLSTM2D(2, 3, **options),
    **{f"both ways, {merge}": both(merge) for merge in ("concat", "sum", "mul", "ave", None)},
    "both ways of a stack": both("concat", around(lambda: [layers.LSTMCell(4), layers.GRUCell(3)])),
}
OPTIONS: dict[str, dict[str, bool]] = {
    "last": {},
    "sequences": {"return_sequences": True},
    "states": {"return_sequences": True, "return_state": True},
    "backwards": {"return_sequences": True, "go_backwards": True},
    "zeros": {"return_sequences": True, "zero_output_for_mask": True},
    "time first": {"time_major": True, "return_sequences": True},
}


def shape_of(kind: str, time: int | str, first: bool) -> list[Any]:
    rest = IMAGE if kind == "conv" else ROW
    return [time, "batch", *rest] if first else ["batch", time, *rest]


def traced(kind: str, options: dict[str, Any], time: int | str, masked: bool) -> Graph:
    """A layer on a sequence; its weights depend on the names of the Parameters alone."""
    first = options.get("time_major", False)
    x = unroll.placeholder(shape_of(kind, time, first), "x")
    mask = [unroll.placeholder(x.shape[:2], "mask", "bool")] if masked else []
    with unroll.scope("model", seed=5):
        return Graph([x, *mask], {"y": LAYERS[kind](**options)(x, **({"mask": mask[0]} if mask else {}))})


def fed(kind: str, options: dict[str, Any], time: int, masked: bool) -> dict[str, Array]:
    rng = np.random.default_rng(time)
    first = options.get("time_major", False)
    shape = [ROWS if size == "batch" else size for size in shape_of(kind, time, first)]
    feeds: dict[str, Array] = {"x": rng.standard_normal(shape).astype("float32")}
    if masked:
        feeds["mask"] = rng.random(shape[:2]) < 0.6
    return feeds


def check_same(runner: Any, feeds: dict[str, Array], wanted: dict[str, Array]) -> None:
    found = runner.run(feeds)
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [(kind, name) for kind in LAYERS for name in OPTIONS if not (kind.startswith("both") and name == "backwards")],
)
def test_a_loop_computes_what_the_unrolled_layer_does(kind: str, options: str, masked: bool) -> None:
    given = OPTIONS[options]
    flat = traced(kind, given, STEPS, masked)
    rolled = traced(kind, {**given, "rolled": True}, STEPS, masked)
    assert sorted(rolled.parameters) == sorted(flat.parameters)
    assert [rolled.shape(tensor) for tensor in rolled.outputs] == [flat.shape(tensor) for tensor in flat.outputs]
    loops = 2 if kind.startswith("both") else 1
    assert [sum(node.op.name == "Scan" for node in graph.nodes) for graph in (flat, rolled)] == [0, loops]
    feeds = fed(kind, given, STEPS, masked)
    wanted = flat.run(feeds)
    open_ = traced(kind, given, "time", masked)
    for runner in (rolled, unroll.Session(rolled), open_, unroll.Session(open_)):
        check_same(runner, feeds, wanted)
    for time in (1, STEPS + 3):
        more = fed(kind, given, time, masked)
        check_same(open_, more, traced(kind, given, time, masked).run(more))


@pytest.mark.parametrize("kind", ["simple", "lstm", "gru", "gru before"])
def test_a_layer_that_is_rolled_becomes_the_operator_that_it_becomes_unrolled(kind: str) -> None:
    operators = []
    for graph in (traced(kind, {}, STEPS, False), traced(kind, {"rolled": True}, STEPS, False)):
        model = unroll.to_onnx(graph, form="rerolled")
        kinds = [node.op_type for node in model.graph.node]
        operators.append([kind for kind in kinds if kind in ("RNN", "GRU", "LSTM", "Scan")])
    assert operators[0] == operators[1]
    assert "Scan" not in operators[0]


@pytest.mark.parametrize(
    ("kind", "backwards"),
    [("lstm", False), ("gru", True), ("stack", False), ("conv", False), ("conv", True), ("both ways, sum", False)],
)
def test_a_state_goes_on_from_chunk_to_chunk_of_any_length(kind: str, backwards: bool) -> None:
    def made(time: int | str, **options: Any) -> Graph:
        shape = [ROWS, *shape_of(kind, time, False)[1:]]
        x = unroll.placeholder(shape, "x")
        with unroll.scope("model", seed=5):
            layer = LAYERS[kind](stateful=True, return_sequences=True, go_backwards=backwards, **options)
            return Graph([x], {"y": layer(x)}, states=layer.states)

    open_ = made("time")
    streams = [open_.stream(), unroll.Session(open_).stream(), unroll.Session(open_, form="rerolled").stream()]
    state: dict[str, Array] = {}
    for time in (3, 1, 4):
        feeds = fed(kind, {}, time, False)
        flat, rolled = made(time).stream(), made(time, rolled=True).stream()
        if state:
            flat.reset(state)
            rolled.reset(state)
        wanted = flat.run(feeds)
        for stream in (rolled, *streams):
            check_same(stream, feeds, wanted)
        state = dict(flat.state)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(3),
        lambda: layers.LSTM(3),
        lambda: layers.GRU(3, return_sequences=True),
        lambda: layers.TimeDistributed(layers.Dense(2)),
        lambda: layers.Bidirectional(layers.LSTM(3)),
        lambda: layers.Sequential([layers.Dense(4), layers.SimpleRNN(2)]),
    ],
    ids=["dense", "lstm", "gru", "itself", "both ways", "model"],
)
def test_any_layer_may_stand_on_every_step_of_any_time(make: Callable[[], Any]) -> None:
    """The inner sequences are as long as they like, too."""

    def traced_at(time: Any, inner: Any, **options: Any) -> Graph:
        x = unroll.placeholder(["batch", time, inner, 3], "x")
        with unroll.scope("model", seed=5):
            return Graph([x], {"y": layers.TimeDistributed(make(), **options)(x)})

    open_ = traced_at("time", "inner")
    for time, inner in ((STEPS, 4), (1, 2)):
        feeds = {"x": np.random.default_rng(time).standard_normal((ROWS, time, inner, 3)).astype("float32")}
        wanted = traced_at(time, inner).run(feeds)
        for graph in (open_, traced_at(time, inner, rolled=True)):
            check_same(graph, feeds, wanted)
            check_same(unroll.Session(graph), feeds, wanted)


def test_wrong_uses_say_why() -> None:
    refused(lambda: layers.LSTM(3, unroll=True, rolled=True), ValueError, "LSTM: unroll=True and rolled=True")
    refused(lambda: layers.LSTM(3, rolled="no"), TypeError, "LSTM: rolled")
    refused(lambda: layers.TimeDistributed(layers.Dense(3), rolled=0.5), TypeError, "TimeDistributed: rolled")
    backward = layers.LSTM(3, go_backwards=True)
    refused(
        lambda: layers.Bidirectional(layers.LSTM(3, rolled=True), backward_layer=backward),
        ValueError,
        "differ in rolled",
    )
    for layer in (layers.LSTM(3, stateful=True), layers.Sequential([layers.GRU(3, stateful=True)])):
        refused(lambda layer=layer: layers.TimeDistributed(layer), NotImplementedError, "stateful", "from step to step")
