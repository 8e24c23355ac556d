"""Random graphs over every operator, and networks of every family, as C compiled with sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_running import STRICT, Case, needs_compiler, run_all, worst
from helpers import Array
from picture_networks import NETWORKS
from random_graphs import random_graph

import unroll
from unroll.export.compiler import feeds_for
from unroll.sizes import Sizes
from unroll.tensor import Node

#: In these a value that is fed decides which branch runs; see test_settling.py.
UNDECIDED = ("tf2onnx lengths", "tf2onnx lengths of a GRU", "tf2onnx lengths of an RNN")

#: What no arithmetic makes of each other in one way only, such as a sum that overflows before it does not, is not among them.
ODD = (np.nan, np.inf, -np.inf, 1e-42, -1e-42, 0.0, -0.0)


def written(node: Node) -> bool:
    """Whether C has the operator on these dtypes."""
    tensors = [tensor for tensor in (*node.inputs, *node.outputs) if tensor is not None]
    return node.op.name not in ("If", "Loop") and all(tensor.dtype.name != "float16" for tensor in tensors)


def spoiled(array: Array, rng: np.random.Generator, share: float) -> Array:
    """Return an array with odd numbers in the place of some."""
    if array.dtype.kind != "f":
        return array
    return np.where(rng.random(array.shape) < share, rng.choice(ODD, array.shape), array).astype(array.dtype)


def random_case(seed: int, dtype: str, odd: bool) -> Case:
    """Return a random graph, its feeds and its weights spoiled where `odd`."""
    graph, feeds = random_graph(seed, dtype, written)
    if odd:
        rng = np.random.default_rng(seed)
        share = rng.choice([0.02, 0.2])
        feeds = {name: spoiled(array, rng, share) for name, array in feeds.items()}
        for weight in graph.parameters.values():
            weight.assign(spoiled(weight.value, rng, share))
    return Case(graph, feeds)


def network_case(name: str) -> Case:
    """A network, with feeds of a few rows and steps."""
    graph = NETWORKS[name]()
    sizes = Sizes(graph, {}, "test")
    near = sizes.near({symbol: 2 if symbol == "batch" else 5 for symbol in sizes.free})
    return Case(graph, feeds_for(graph, near)[0])


def check(named: dict[str, Case], folder: Path) -> None:
    found = run_all(list(named.values()), folder)
    shares = {name: worst(case, arrays) for (name, case), arrays in zip(named.items(), found, strict=True)}
    assert {name: share for name, share in shares.items() if share > 1} == {}


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_graphs_give_numpys_numbers(dtype: str, tmp_path: Path) -> None:
    check({str(seed): random_case(seed, dtype, odd=bool(seed % 2)) for seed in range(16)}, tmp_path)


@needs_compiler
def test_networks_of_every_family_give_numpys_numbers(tmp_path: Path) -> None:
    names = [name for name in NETWORKS if name not in UNDECIDED]
    check({name: network_case(name) for name in names[::6]}, tmp_path)


@pytest.mark.skipif(shutil.which("clang") is None, reason="no clang is found; apt-get install clang")
def test_clang_has_nothing_to_say(tmp_path: Path) -> None:
    networks = [network_case(name) for name in list(NETWORKS)[1::9] if name not in UNDECIDED]
    seeds = [*range(20, 28), 139]  # a comment of the last one names what its C does not call
    cases = [*networks, *(Case(*random_graph(seed, "float32", written)) for seed in seeds)]
    for number, case in enumerate(cases):
        case.source(f"case{number}").save(str(tmp_path / f"case{number}.c"))
    networks[0].source("half", dtype="float16").save(str(tmp_path / "half.c"))
    networks[0].source("bytes", quantize="int8").save(str(tmp_path / "bytes.c"))
    for more in ([], ["-march=native"]):
        command = ["clang", *STRICT, *more, "-fsyntax-only", *(path.name for path in tmp_path.glob("*.c"))]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert said.returncode == 0 and not said.stderr, said.stderr[:3000]


@pytest.mark.parametrize("name", UNDECIDED)
def test_a_branch_that_a_run_chooses_is_named(name: str) -> None:
    with pytest.raises(unroll.UnrollError, match="only a run knows how often it runs, or which branch"):
        network_case(name).source("model")
