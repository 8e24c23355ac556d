"""Networks of every family whose time is left open: each loop is a Scan, whose body is drawn once for all steps."""

from __future__ import annotations

from collections.abc import Callable

import unroll
from unroll import cells, layers, nn


def layered(*stack: Callable[[], layers.Layer]) -> Callable[[], unroll.Graph]:
    return lambda: layers.Sequential([layers.Input((None, 5)), *(layer() for layer in stack)]).trace()


def driven(cell: Callable[[], unroll.RNNCell], lengths: bool = False) -> Callable[[], unroll.Graph]:
    def make() -> unroll.Graph:
        x = unroll.placeholder(["batch", "time", 4], "x")
        given = [unroll.placeholder(["batch"], "lengths", "int32")] if lengths else []
        outputs, state = unroll.dynamic_rnn(cell(), x, *given)
        return unroll.Graph([x, *given], [outputs, state])

    return make


def module(kind: Callable[..., nn.Module], **options: object) -> Callable[[], unroll.Graph]:
    def make() -> unroll.Graph:
        x = unroll.placeholder(["batch", "time", 4], "x")
        outputs, state = kind(4, 3, batch_first=True, **options)(x)
        return unroll.Graph([x], [outputs, state])

    return make


def encoder_and_decoder() -> unroll.Graph:
    e, d = unroll.placeholder(["batch", "n", 3], "e"), unroll.placeholder(["batch", "m", 3], "d")
    _, h, c = layers.LSTM(4, return_state=True, name="enc")(e)
    return unroll.Graph([e, d], [layers.LSTM(4, name="dec")(d, initial_state=[h, c])])


def both_ways() -> unroll.Graph:
    x = unroll.placeholder(["batch", "time", 4], "x")
    return unroll.Graph([x], list(unroll.bidirectional_dynamic_rnn(unroll.BasicLSTMCell(3), unroll.GRUCell(3), x)))


OVER_TIME: dict[str, Callable[[], unroll.Graph]] = {
    "LSTM": layered(lambda: layers.LSTM(4)),
    "GRU": layered(lambda: layers.GRU(4)),
    "GRU, reset before": layered(lambda: layers.GRU(4, reset_after=False)),
    "SimpleRNN": layered(lambda: layers.SimpleRNN(4)),
    "masked GRU": layered(layers.Masking, lambda: layers.GRU(4)),
    "LSTM backward": layered(lambda: layers.LSTM(4, go_backwards=True)),
    "Bidirectional": layered(
        lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)), lambda: layers.Dense(2)
    ),
    "stacked cells": layered(lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)])),
    "encoder and decoder": encoder_and_decoder,
    "both ways": both_ways,
    "lengths": driven(lambda: unroll.BasicLSTMCell(3), lengths=True),
    "lengths of a GRU": driven(lambda: unroll.GRUCell(3), lengths=True),
    "nn.LSTM, two layers both ways": module(nn.LSTM, num_layers=2, bidirectional=True),
    "nn.GRU": module(nn.GRU),
    "nn.RNN": module(nn.RNN),
    "BasicRNNCell": driven(lambda: unroll.BasicRNNCell(4)),
    "BasicLSTMCell": driven(lambda: unroll.BasicLSTMCell(4)),
    "one state tensor": driven(lambda: unroll.BasicLSTMCell(3, state_is_tuple=False)),
    "GRUCell": driven(lambda: unroll.GRUCell(4)),
    "peepholes": driven(lambda: unroll.LSTMCell(5, use_peepholes=True, num_proj=2)),
    "UGRNNCell": driven(lambda: cells.UGRNNCell(4)),
    "NASCell": driven(lambda: cells.NASCell(4)),
    "IntersectionRNNCell": driven(lambda: cells.IntersectionRNNCell(4)),
    "SLSTMCell": driven(lambda: cells.SLSTMCell(4)),
    "IndRNNCell": driven(lambda: cells.IndRNNCell(4)),
    "LayerNormBasicLSTMCell": driven(lambda: cells.LayerNormBasicLSTMCell(4)),
    "attention": driven(lambda: cells.AttentionCellWrapper(unroll.BasicLSTMCell(3), 2)),
    "two cells": driven(lambda: cells.MultiRNNCell([unroll.BasicLSTMCell(3), unroll.GRUCell(4)])),
    "two cells alike": driven(lambda: cells.MultiRNNCell([unroll.BasicLSTMCell(3), unroll.BasicLSTMCell(3)])),
}
