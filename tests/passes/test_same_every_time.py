"""Passes give the same graph in every process: no order of a set, of addresses or of salted hashes shows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from helpers import TESTS

PROGRAM = """
import hashlib, sys
kept = [bytearray(int(sys.argv[1]) * 100 + at) for at in range(3000)]  # moves what is made after it
import numpy as np
import unroll
from random_networks import random_network
from unroll import layers, nn, ops
from unroll.passes.join_cells import join_cells

def both_ways(lengths):
    x, n = unroll.placeholder([None, 6, 3], "x"), unroll.placeholder([None], "n", "int32")
    cells = [unroll.GRUCell(4), unroll.GRUCell(4)]
    (fw, bw), _ = unroll.bidirectional_dynamic_rnn(*cells, x, n if lengths else None, dtype="float32")
    return unroll.Graph([x, n] if lengths else [x], {"y": ops.concat([fw, bw], 2)})

def stack():
    x = unroll.placeholder([None, 6, 3], "x")
    cell = unroll.MultiRNNCell([unroll.BasicLSTMCell(4), unroll.BasicLSTMCell(4)])
    return unroll.Graph([x], {"y": unroll.dynamic_rnn(cell, x, dtype="float32")[0]})

def modules():
    x = unroll.placeholder([6, None, 3], "x")
    return [unroll.Graph([x], list(kind(3, 4, 2, bidirectional=True)(x))) for kind in (nn.RNN, nn.LSTM, nn.GRU)]

graphs = modules() + [random_network(seed)[0] for seed in range(3)] + [both_ways(False), both_ways(True), stack()]
for graph in graphs:
    fast = unroll.optimize(graph)
    for made, report in (unroll.reroll(graph), unroll.reroll(fast), (join_cells(fast), "joined")):
        print(report, hashlib.sha256(unroll.to_onnx(made, ir_version=10).SerializeToString()).hexdigest())
"""


@pytest.mark.slow
def test_passes_give_the_same_file_in_every_process() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(number)],
            env=os.environ | {"PYTHONHASHSEED": str(number), "PYTHONPATH": str(TESTS)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert len(first.splitlines()) > 18
    assert second == first
