"""A graph that has been given its steps is written in every form as a valid model that computes the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from foreign_files import anonymous
from pass_checks import feeds_of
from picture_networks import FOREIGN, NETWORKS

import unroll
from unroll.passes.places import places

FORMS = ("unrolled", "functions", "scan", "rerolled")
FILES = ("tf2onnx-gru-bn-t5-op13", "keras-gru-return_sequences-bn-t4-op17", "torchscript-lstm-bn-t5-op17")


def apart(name: str, path: str) -> unroll.Graph:
    """A network as another program writes it, whose nodes do not lie under the paths of cells."""
    model = anonymous(unroll.to_onnx(NETWORKS[name]()))
    for number, node in enumerate(model.graph.node):
        node.name = path.format(number=number, operator=node.op_type)
    return unroll.from_onnx(model)


def check_every_form(graph: unroll.Graph) -> None:
    placed = places(graph)
    assert placed is not graph
    feeds = feeds_of(graph)
    expected = graph.run(feeds)
    for form in FORMS:
        model = unroll.to_onnx(placed, form=form)
        onnx.checker.check_model(model, full_check=True)
        for nodes in (model.graph.node, *(function.node for function in model.functions)):
            assert len({node.name for node in nodes}) == len(nodes), form
        found = unroll.Session(model).run(feeds)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5, err_msg=form)
        if form != "functions":
            kinds = [
                sorted(node.op_type for node in written.graph.node)
                for written in (model, unroll.to_onnx(graph, form=form))
            ]
            assert kinds[0] == kinds[1], form


@pytest.mark.parametrize(
    "name", ["GRU", "stacked", "layers stacked", "PyTorch, both ways", "Keras, masked", "NumPy style"]
)
@pytest.mark.parametrize("path", ["layer_{number}/{operator}", "/{operator}", "same"])
def test_placing_changes_nothing_of_what_is_written(name: str, path: str) -> None:
    check_every_form(apart(name, path))


@pytest.mark.parametrize("name", FILES)
def test_placing_a_file_changes_nothing_of_what_is_written(name: str) -> None:
    check_every_form(unroll.from_onnx(FOREIGN / f"{name}.onnx"))
