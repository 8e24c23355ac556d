"""Attention over a memory: the formulas by hand, over known and unknown times, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners

import unroll
from unroll import placeholder, seq2seq

RNG = np.random.default_rng(0)
MEMORY, QUERY, LENGTHS = RNG.normal(size=(3, 5, 4)), RNG.normal(size=(3, 6)), np.array([5, 2, 3], "int32")


def softmax(x: Any) -> Any:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def keys_and_counts(mechanism: Any) -> tuple[Any, Any]:
    counts = np.arange(5) < LENGTHS[:, None]
    return (MEMORY * counts[..., None]) @ mechanism.weights["memory_layer/kernel"].value, counts


def by_hand(mechanism: Any) -> Any:
    (keys, counts), w = keys_and_counts(mechanism), {name: item.value for name, item in mechanism.weights.items()}
    if isinstance(mechanism, seq2seq.LuongAttention):
        score = w.get("attention_g", 1.0) * np.einsum("bu,btu->bt", QUERY, keys)
    else:
        v, mixed = w["attention_v"], keys + (QUERY @ w["query_layer/kernel"])[:, None]
        if mechanism.normalize:
            v, mixed = w["attention_g"] * v / np.sqrt((v * v).sum()), mixed + w["attention_b"]
        score = (v * np.tanh(mixed)).sum(-1)
    return softmax(np.where(counts, score, -np.inf))


MADE = {
    "bahdanau": (seq2seq.BahdanauAttention, {}),
    "bahdanau, normalised": (seq2seq.BahdanauAttention, {"normalize": True}),
    "luong": (seq2seq.LuongAttention, {}),
    "luong, scaled": (seq2seq.LuongAttention, {"scale": True}),
}


@pytest.mark.parametrize("time", [5, "time"])
@pytest.mark.parametrize("name", MADE)
def test_shares_are_what_the_formula_says(name: str, time: Any) -> None:
    kind, options = MADE[name]
    memory, query = placeholder([None, time, 4], "memory", "float64"), placeholder([None, 6], "query", "float64")
    lengths = placeholder([None], "lengths", "int32")
    with unroll.scope("a", initializer=unroll.initializers.RandomNormal(stddev=1.0)):
        mechanism = kind(6, memory, lengths, **options)
        graph = unroll.Graph([memory, query, lengths], {"shares": mechanism(query)})
    fed = {"memory": MEMORY, "query": QUERY, "lengths": LENGTHS}
    check_three_runners(graph, fed, [by_hand(mechanism)], "float64")
    assert all(
        weight.name.startswith(("a/memory_layer", f"a/{mechanism.name}/")) for weight in graph.parameters.values()
    )


def test_a_wrapped_cell_reads_what_it_attended_to_and_attends_by_its_output() -> None:
    memory, steps = placeholder([None, 5, 4], "memory"), [placeholder([None, 2], f"x{t}") for t in range(2)]
    mechanism = seq2seq.LuongAttention(3, memory)
    wrapper = seq2seq.AttentionWrapper(unroll.BasicRNNCell(3), mechanism, attention_layer_size=6)
    outputs, state = unroll.static_rnn(wrapper, steps)
    graph = unroll.Graph([memory, *steps], {"y": outputs[1], "shares": state.alignments})
    w = {name: item.value for name, item in graph.parameters.items()}
    inner = "rnn/attention_wrapper/basic_rnn_cell/"
    assert {f"{inner}kernel", "memory_layer/kernel", "rnn/attention_wrapper/attention_layer/kernel"} <= set(w)
    rows = RNG.normal(size=(2, 3, 2))
    h, attention, keys = np.zeros((3, 3)), np.zeros((3, 6)), MEMORY @ w["memory_layer/kernel"]
    for row in rows:
        h = np.tanh(np.hstack([row, attention, h]) @ w[f"{inner}kernel"] + w[f"{inner}bias"])
        shares = softmax(np.einsum("bu,btu->bt", h, keys))
        context = np.einsum("bt,btd->bd", shares, MEMORY)
        attention = np.hstack([h, context]) @ w["rnn/attention_wrapper/attention_layer/kernel"]
    found = graph.run({"memory": MEMORY, "x0": rows[0], "x1": rows[1]})
    np.testing.assert_allclose(found["y"], attention, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["shares"], shares, rtol=1e-4, atol=1e-5)
    assert unroll.verify(graph)


def test_what_is_joined_handed_on_and_begun_with_may_be_others() -> None:
    memory, x = placeholder([2, 5, 4], "memory"), placeholder([2, 3], "x")
    begin = unroll.constant(np.ones((2, 3), "float32"))
    wrapper = seq2seq.AttentionWrapper(
        unroll.GRUCell(3),
        seq2seq.BahdanauAttention(4, memory),
        cell_input_fn=lambda inputs, attention: inputs + attention[:, :3],
        output_attention=False,
        initial_cell_state=begin,
        attention_layer=lambda both: both[:, :4] * 2,
    )
    output, state = wrapper(x, wrapper.zero_state(2))
    assert (output.shape, state.attention.shape, wrapper.output_size) == ((2, 3), (2, 4), 3)
    assert wrapper.zero_state(2).cell_state is begin and state.clone(attention=1).attention == 1


BAD = {
    "no axes": (lambda: seq2seq.LuongAttention(3, placeholder([None, 4], "m")), "must be .batch, steps, depth."),
    "no floats": (lambda: seq2seq.LuongAttention(3, placeholder([1, 2, 4], "m", "int32")), "must be of floats"),
    "no size": (lambda: seq2seq.BahdanauAttention("a", placeholder([1, 2, 4], "m")), "num_units"),  # type: ignore[arg-type]
    "no mechanism": (lambda: seq2seq.AttentionWrapper(unroll.GRUCell(3), unroll.ops.softmax), "one BahdanauAttention"),  # type: ignore[arg-type]
    "a history": (
        lambda: seq2seq.AttentionWrapper(
            unroll.GRUCell(3), seq2seq.LuongAttention(3, placeholder([1, 2, 4], "m")), alignment_history=True
        ),
        "holds its alignments",
    ),
    "lengths of other rows": (
        lambda: seq2seq.LuongAttention(3, placeholder([2, 5, 4], "m"), [5]),
        "memory_sequence_length .*one",
    ),
    "a name": (lambda: seq2seq.BeamSearchDecoder, "decoding here is greedy"),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_said(name: str) -> None:
    call, said = BAD[name]
    with pytest.raises(unroll.UnrollError, match=said):
        call()
