"""What a picture says besides formulas is true: shapes, steps, numbers of steps, zeros, widths, gates and values."""

from __future__ import annotations

import re

import numpy as np
import pytest
from picture_networks import NETWORKS
from picture_reading import Box, Reading, read

import unroll
from unroll.dimensions import shape_text
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

#: With sizes that no reader could compute.
NOT_RUN = {"hostile names"}
RUN = [name for name in NETWORKS if name not in NOT_RUN]
_SHAPE = re.compile(r"(?:(\d+) x )?(\([^()]*\))")


def shapes_in(text: str) -> list[str]:
    """Return the shapes in a text; ``4 x (batch, 3)`` are four."""
    return [shape for count, shape in _SHAPE.findall(text) for _ in range(int(count or 1))]


def check_shapes(reading: Reading) -> None:
    for box in reading.boxes:
        said = shapes_in(box.lines[-1]) if box.node is not None else []
        if box.node is not None and "\u2026" not in box.lines[-1] and said:
            seen = [reading.values[tensor].shape for tensor in pieces_of(reading, box)]
            assert len(said) == len(seen) and all(map(reading.agrees, said, seen)), f"{box.tip}: {box.lines}"
        if box.id.startswith("weight_"):
            assert box.lines[0].endswith(f" {shape_text(reading.weights[box.tip].shape)}")
    by_name = {**reading.graph.names.by_name, **reading.weights}
    for edge in reading.dot.edges():
        name, _, rest = str(edge.attr["tooltip"] or "").partition(" (")
        if name not in by_name or not rest:  # a dashed line says only whose it is
            continue
        shape, _, dtype = f"({rest}".rpartition(" ")
        value = reading.values[by_name[name]]
        assert reading.agrees(shape, value.shape) and dtype == value.dtype, edge.attr["tooltip"]
        label = str(edge.attr["label"] or "").strip("<>")
        # A state beside a closed cell says its name alone.
        called = without_unit_axes(reading, by_name[name]).rpartition("/")[2]
        of_a_file = ":" in name or "/" not in name
        found = label.removeprefix("new_") in ("c", "h") and of_a_file  # what a state of a file is found to be
        assert label.endswith(shape) or called.startswith(label) or found, f"{label} beside {edge.attr['tooltip']}"


def without_unit_axes(reading: Reading, tensor: Tensor) -> str:
    """Return the name of a tensor, or of what it was before it was given an axis of 1, which no box stands for."""
    while tensor.node is not None and tensor.node.op.name == "Unsqueeze" and tensor.node.inputs[0] is not None:
        tensor = tensor.node.inputs[0]
    return reading.graph.names.tensors.get(tensor) or tensor.hint or ""


def pieces_of(reading: Reading, box: Box) -> list[Tensor]:
    """Return what an operator gives: an Unstack pieces without the axis that it cuts, which the Squeezes after it take away."""
    assert box.node is not None
    if box.lines[0] != "Unstack":
        return list(box.node.outputs)
    read = {node.inputs[0]: node.outputs[0] for node in reading.graph.nodes if node.op.name == "Squeeze"}
    return [read[tensor] for tensor in box.node.outputs]


def check_panels(reading: Reading) -> int:
    """Check what the cards of weights say; return how many say at how many steps they are used."""
    counted = 0
    for box in reading.boxes:
        if not box.id.startswith("weights_"):
            continue
        names = [name for name in re.split(r", (?=\S)", box.tip) if name in reading.weights]
        assert names, box.tip
        for name in names:
            shape = shape_text(reading.weights[name].shape)
            # The operators that a file reads a weight with are left out; where no more is left, it is called as what it is.
            blocks = reading.weights[name].blocks
            rows = " and ".join(source for source, _ in blocks.rows) if blocks is not None else ""
            called = "|".join(map(re.escape, [*re.split(r"[/.]", name), f"weights of {rows}", "biases"]))
            assert any(re.search(rf"({called})( of \w+)?( \(\S*\))? {re.escape(shape)}", line) for line in box.lines), (
                f"{name}: {box.lines}"
            )
        for line in box.lines:
            said = re.match(r"one set of weights for (?:all (\d+) steps|the one step)", line)
            if said:
                check_count(reading.graph, {reading.weights[name] for name in names}, int(said[1] or 1))
                counted += 1
    return counted


def check_count(graph: unroll.Graph, weights: set[Parameter], said: int) -> None:
    """Check at how many steps something is computed with weights, or with what is made of them alone."""
    made: set[Tensor] = set(weights)
    users: list[Node] = []
    for node in graph.nodes:
        read = [tensor for tensor in node.inputs if tensor is not None]
        if not made.isdisjoint(read):
            if all(tensor in made or isinstance(tensor, (Parameter, Constant)) for tensor in read):
                made |= set(node.outputs)
            else:
                users.append(node)
    steps = {loop_and_step(node) for node in users}
    if None in {step for _, step in steps}:  # a picture places them at the steps that read them
        assert said <= len(users), weights
    else:
        assert said == len(steps), weights


def loop_and_step(node: Node) -> tuple[str, int | None]:
    return (node.origin.cell or node.origin.scope).split("/")[0], node.origin.step


def check_steps(reading: Reading) -> None:
    """Check that the steps that are headed and those that are said to be left out are all there are.

    Directions that are computed as one are at two steps in each column, and in as many columns as there are steps.
    """
    headings = [
        re.search(r"t = (\d+(?: \| \d+)*)$", box.lines[0])
        for box in reading.boxes
        if box.id.startswith("step_") and box.lines
    ]
    headed = [tuple(map(int, found[1].split(" | "))) for found in headings if found is not None]
    origins = [origin for node in reading.graph.nodes for origin in node.provenance]
    steps = [((item.cell or item.scope).split("/")[0], item.step) for item in origins if item.step is not None]
    assert {step for column in headed for step in column} <= {step for _, step in steps}
    more = [
        int(box.lines[0].split()[1]) for box in reading.boxes if box.id.startswith("gap") and "step" in box.lines[0]
    ]
    if len({loop for loop, _ in steps}) == 1:
        total = len({step for _, step in steps})
        assert all(len(set(headed)) + count == total for count in more), f"{headed}, {more} of {total}"


def check_zeros(reading: Reading) -> None:
    for box in reading.boxes:
        if box.id.startswith("zero_"):
            assert not reading.values[reading.nodes[box.tip].outputs[0]].any(), box.tip


def check_cells(reading: Reading) -> int:
    """Check how wide cells say they are, and that their gates are gates; return how many cells there are."""
    cells = [box for box in reading.boxes if box.id.startswith("cell_")]
    for box in cells:
        path = box.tip.partition(", t = ")[0]
        around, _, ends = path.rpartition("/")  # cells that are computed as one are listed at the end
        paths = tuple(f"{around}/{end}".lstrip("/") for end in ends.split(" + "))
        inside = [item for name, item in reading.weights.items() if name.startswith(tuple(f"{one}/" for one in paths))]
        columns = {column for item in inside if item.blocks is not None for column in item.blocks.columns}
        nodes = [node for node in reading.graph.nodes if (node.origin.cell or "").startswith(paths)]
        units = [int(line.split()[0]) for line in box.lines if re.fullmatch(r"\d+ units?", line)]
        widths = {size for _, size in columns} | {
            tensor.shape[-1] for node in nodes for tensor in node.outputs if tensor.rank
        }
        assert set(units) <= widths, f"{box.tip}: {box.lines}"
        gates = {name for name, _ in columns} | {origin.gate for node in nodes for origin in node.provenance}
        functions = {node.op.name.lower() for node in nodes}
        assert set(chips_of(reading, box)) <= gates | functions, f"{box.tip}: {box.lines}"
    return len(cells)


def chips_of(reading: Reading, box: Box) -> list[str]:
    """Return the gates that a cell's box lists."""
    label = str(reading.dot.get_node(box.id).attr["label"])
    return re.findall(r'<TD BGCOLOR="[^"]*" WIDTH="18"[^>]*><FONT[^>]*>([^<]*)</FONT>', label)


@pytest.mark.parametrize("level", ["cell", "op"])
@pytest.mark.parametrize("name", RUN)
def test_what_a_picture_says_of_a_network_is_so(name: str, level: str) -> None:
    reading = read(NETWORKS[name](), level=level)
    check_shapes(reading)
    check_panels(reading)
    check_steps(reading)
    check_zeros(reading)
    check_cells(reading)


@pytest.mark.parametrize("name", ["optimized BasicLSTM", "optimized GRU", "optimized both ways"])
def test_a_card_counts_the_steps_that_use_its_weights_through_what_a_pass_made_of_them(name: str) -> None:
    for level in ("cell", "op"):
        assert check_panels(read(NETWORKS[name](), level=level)) > 0


def test_a_cell_whose_states_differ_in_width_does_not_say_how_many_units_it_has() -> None:
    for name in ("own cell", "two states side by side"):
        assert not any("unit" in line for box in read(NETWORKS[name]()).boxes for line in box.lines)


@pytest.mark.parametrize("name", ["two steps", "GRU", "optimized BasicLSTM", "layers masked LSTM", "attention"])
def test_the_values_in_a_picture_are_those_of_the_run(name: str) -> None:
    reading = read(NETWORKS[name](), with_values=True, level="op", full=True)
    checked = 0
    for box in reading.boxes:
        values = [line for line in box.lines if re.fullmatch(r"(all )?-?[\d.e+-]+(, -?[\d.e+-]+)*", line)]
        if box.node is None or len(box.node.outputs) > 1 or not values or box.lines[-1] != values[-1]:
            continue
        numbers = np.array([float(number) for line in values for number in line.removeprefix("all ").split(", ")])
        wanted = reading.values[box.node.outputs[0]]
        np.testing.assert_allclose(
            np.resize(numbers, wanted.size), wanted.ravel(), rtol=1e-3, atol=1e-4, err_msg=box.tip
        )
        checked += 1
    assert checked > 2
