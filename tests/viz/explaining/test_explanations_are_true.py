"""Every equation of every explanation is true: its own text, evaluated with NumPy from inputs and weights, gives the run's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from explained import check_section, run_of, unmeant, unsaid
from picture_networks import FOREIGN, NETWORKS, read_back
from random_networks import random_network
from right_calls import CELL_INPUTS, NO_STEP, Call, all_calls, x

import unroll
from unroll.ops.opaque import Opaque
from unroll.passes.join_cells import join_cells
from unroll.passes.pipeline import PASSES

#: With an If, which takes feeds of a kind that no trial draws, and whose branches no equation writes out.
NOT_RUN = {name for name in NETWORKS if name.startswith("tf2onnx lengths")}


def check(graph: unroll.Graph) -> int:
    run = run_of(graph)
    assert not unsaid(run), "an operator that no equation accounts for"
    for section in run.sections:
        assert not unmeant(section), section.title
    inner = [section for section in run.sections if section.context and section.context.graph is run.graph]
    return sum(check_section(section, run.values) for section in inner)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in NOT_RUN])
def test_every_equation_of_every_network_is_true(name: str) -> None:
    check(NETWORKS[name]())


#: Files with an If, which a formula calls by its name and no test computes.
STRANGE = {
    "tf2onnx-basic_lstm-lengths=fed-bn-t4-op15", "tf2onnx-basic_rnn-lengths=fed-bn-t4-op13",
    "tf2onnx-gru-lengths=fed-b3-t3-op9",
}  # fmt: skip
FILES = [path.stem for path in sorted(FOREIGN.glob("*.onnx")) if path.stem not in STRANGE]


@pytest.mark.parametrize("name", FILES)
def test_every_equation_of_files_of_other_converters_is_true(name: str) -> None:
    assert len(FILES) > 55
    check(unroll.from_onnx(FOREIGN / f"{name}.onnx"))


@pytest.mark.parametrize("name", sorted(STRANGE))
def test_operators_that_are_not_ours_are_called_by_their_names(name: str) -> None:
    graph = unroll.from_onnx(FOREIGN / f"{name}.onnx")
    strange = {node.op.name for node in graph.nodes if isinstance(node.op, Opaque) or node.op.bodies}
    said = str(unroll.explain(graph))
    assert strange and any(f"{kind}(" in said for kind in strange)


CELLS: dict[str, Call] = {
    name: call
    for name, call in all_calls().items()
    if name.startswith("cells.") and name.partition(".")[2] not in NO_STEP
}


@pytest.mark.parametrize("name", CELLS)
def test_every_equation_of_every_cell_is_true(name: str) -> None:
    """Over two steps, so that what the first has made is read by the second."""
    cell = CELLS[name].function(*CELLS[name].args, **CELLS[name].kwargs)
    inputs, outputs, state = [], [], cell.zero_state(2)
    for step in range(2):
        fed = CELL_INPUTS.get(name.partition(".")[2], x)()
        listed = fed if isinstance(fed, tuple) else (fed,)
        named = [unroll.placeholder(list(t.shape), f"{t.name}{step}", t.dtype) for t in listed]
        inputs += named
        with unroll.scope("rnn"), unroll.step(step):
            output, state = cell(tuple(named) if isinstance(fed, tuple) else named[0], state)
        outputs.append(output)
    assert check(unroll.Graph(inputs, [outputs, state])) > 0


CHANGED: dict[str, Callable[[unroll.Graph], unroll.Graph]] = {
    "as traced": lambda graph: graph,
    "optimised": unroll.optimize,
    "optimised for many rows": lambda graph: unroll.optimize(graph, batch=64),
    "joined": join_cells,
    "re-rolled": lambda graph: unroll.reroll(graph)[0],
    "read back": read_back,
    "read back, optimised": lambda graph: unroll.optimize(read_back(graph)),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("change", CHANGED)
def test_every_equation_of_random_networks_is_true(change: str, seed: int) -> None:
    graph, _ = random_network(seed, steps=3)
    assert check(CHANGED[change](graph)) > 0 or change == "re-rolled"  # which may be one operator


@pytest.mark.parametrize("name", PASSES)
def test_every_equation_is_true_after_each_pass(name: str) -> None:
    for network in ("GRU", "Keras, both ways", "layers masked LSTM", "cell LSTM, clipped and projected"):
        check(PASSES[name](NETWORKS[network]()))
