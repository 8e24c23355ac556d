"""What an explanation says, in text, LaTeX and HTML, with and without numbers; and what `explain` refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
from drawn_programs import over_steps
from explained import run_of
from helpers import refused, step_inputs
from picture_networks import NETWORKS

import unroll
from unroll import layers, nn
from unroll.parameter import BlockTable
from unroll.viz.explaining.block_writing import block_of
from unroll.viz.explaining.numbers import Numbers
from unroll.viz.explaining.writing import TEXT

LSTM = """\
  i = sigmoid([x, h[t-1]] @ K_i + b_i)
  j = tanh([x, h[t-1]] @ K_j + b_j)
  f = sigmoid([x, h[t-1]] @ K_f + b_f + 1)
  o = sigmoid([x, h[t-1]] @ K_o + b_o)
  c = c[t-1] \u00d7 f + i \u00d7 j
  h = tanh(c) \u00d7 o
"""


def test_an_lstm_is_said_as_textbooks_say_it() -> None:
    said = str(unroll.explain(NETWORKS["image rows"]()))
    assert said.startswith("rnn/basic_lstm_cell, t = 0 ... 27\n" + LSTM)
    assert "cut from the input images (batch, 784)" in said and "zeros at t = 0" in said
    assert "K_i, K_j, K_f, K_o  rnn/basic_lstm_cell/kernel (41, 52) = [x 28 + h 13] x [i|j|f|o 13]" in said


def test_after_optimize_it_still_says_what_the_network_computes() -> None:
    said = str(unroll.explain(unroll.optimize(over_steps(unroll.BasicLSTMCell(3)))))
    assert "rnn/basic_lstm_cell, t = 1 ... 3\n" + LSTM in said
    first = said.partition("\nwhere")[0]
    assert first.startswith("rnn/basic_lstm_cell, t = 0\n  i = sigmoid(x @ K_xi + b_i)\n")
    assert "  c = i \u00d7 j\n" in first  # its state is zero


def test_a_flat_file_of_others_is_said_as_its_cell() -> None:
    said = str(unroll.explain(NETWORKS["tf2onnx flat LSTM"]()))
    assert said.startswith("rnn/basic_lstm_cell, t = 0 ... 4\n" + LSTM)


def test_a_walk_backward_reads_the_step_behind_it() -> None:
    said = str(unroll.explain(NETWORKS["both ways"]()))
    assert "h = u \u00d7 h[t+1] + (1 \u2212 u) \u00d7 c" in said and "h[t+1]    zeros at t = 2" in said


def test_a_number_that_is_that_of_the_step_is_said_once() -> None:
    assert "valid = t < x1" in str(unroll.explain(NETWORKS["both ways with lengths"]()))


SUBJECTS: dict[str, Callable[[], object]] = {
    "a cell": lambda: called(unroll.BasicLSTMCell(3)),
    "a layer": lambda: called(layers.LSTM(3)),
    "a module": lambda: nn.LSTM(4, 3, batch_first=True),
    "a module, time first": lambda: nn.LSTM(4, 3),
    "a model": lambda: layers.Sequential([layers.Input((3, 4)), layers.LSTM(3)]),
}


def called(thing: object) -> object:
    x = unroll.placeholder([None, 2, 4], "x")
    if isinstance(thing, unroll.RNNCell):
        unroll.dynamic_rnn(thing, x)
    else:
        thing(x)  # type: ignore[operator]
    return thing


@pytest.mark.parametrize("name", SUBJECTS)
def test_whatever_has_weights_can_be_explained(name: str) -> None:
    said = str(unroll.explain(SUBJECTS[name]()))
    assert re.search(r"f = sigmoid\(.*_f", said) and "t = 0, 1" in said.replace("0 ... 2", "0, 1")


# -- numbers -----------------------------------------------------------------------------------------------------------

FEEDS = {"images": np.random.default_rng(0).random((2, 784))}


def test_numbers_are_those_of_the_run() -> None:
    graph = NETWORKS["image rows"]()
    said = str(unroll.explain(graph, FEEDS, step=7, unit=2, row=1))
    gates = {name: graph.run(FEEDS, f"rnn/t7/basic_lstm_cell/{name}")[1, 2] for name in ("i", "j", "f", "c")}
    before = graph.run(FEEDS, "rnn/t6/basic_lstm_cell/c")[1, 2]
    i, j, f, c = (f"{value:.4g}" for value in gates.values())
    assert f"  c = c[6] \u00d7 f + i \u00d7 j = {before:.4g} \u00d7 {f} + {i} \u00d7 {j} = {c}\n" in said
    assert said.startswith("rnn/basic_lstm_cell, t = 7\n") and "numbers of unit 2, in row 1 of the batch" in said
    assert "t-1" not in said and "zeros" not in said


@pytest.mark.parametrize(
    "name", ["image rows", "GRU", "optimized BasicLSTM", "layers ConvLSTM2D", "Bahdanau", "cell NAS"]
)
def test_every_number_put_in_is_computed_by_the_run_and_gives_what_is_said(name: str) -> None:
    run = run_of(NETWORKS[name]())
    count = 0
    for section in run.sections:
        context = section.context
        for block in [block_of(context, unit) for unit in section.units] if context is not None else []:
            numbers = Numbers(run.graph, run.feeds, block.equations, 0, 1)
            for line in block.equations:
                put, value = numbers.line(line)
                if value is None:
                    continue
                array = run.values[line.tensor]
                place = (0,) * (array.ndim - 1) + (min(1, array.shape[-1] - 1),)
                assert float(value.value) == float(array[place]), TEXT.symbol(line.symbol)
                if put is not None:
                    count += 1
                    from formula_parser import value_of

                    exact = value_of(re.sub(r"(?<=[ (\[])-|^-", "-", TEXT.term(put)), lambda n: np.array(float(n)), 1)
                    np.testing.assert_allclose(exact, array[place], rtol=0.02, atol=2e-3)
    assert count > 2


# -- LaTeX and HTML ----------------------------------------------------------------------------------------------------


def test_notebooks_get_mathematics() -> None:
    found = unroll.explain(NETWORKS["GRU"]())
    assert r"h_{t} &= u_{t} \odot h_{t-1} + \left(1 - u_{t}\right) \odot c_{t}" in found.latex
    assert r"r_{t} &= \sigma\left([x_{t}, h_{t-1}] \, K_{r} + b_{r}\right)" in found.latex
    assert "<i>h</i><sub>t-1</sub>" in found.html and "<details>" in found.html
    assert (found._repr_latex_(), found._repr_html_()) == (found.latex, found.html)
    assert repr(found) == "Explanation(1 sections, 4 equations)"


HOSTILE = [
    "a_b^c", "\\end{aligned}", "$$", "100%", "#1", "{x", "x}", "~", "</td><script>alert(1)</script>", "<img src=x>", "]]>",
    "a&b", '"quoted"', "na\u00efve \u6f22\u5b57", "x" * 10_000,
]  # fmt: skip


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    x = unroll.placeholder([None, 3], "x")
    name = name.replace("/", "|")
    blocks = BlockTable((("x", 3),), ((name, 1), ("b", 1)))
    weight = unroll.Parameter(np.ones((3, 2), np.float32), name, blocks=blocks)
    with unroll.scope(name), unroll.step(0):
        y = unroll.ops.tanh(unroll.ops.split(x @ weight, 2, axis=-1)[0])
    found = unroll.explain(unroll.Graph([x], {f"{name} out": y}))
    reading = Tags()
    reading.feed(found.html)
    assert reading.tags <= {
        "div",
        "h4",
        "table",
        "tr",
        "td",
        "i",
        "sub",
        "sup",
        "details",
        "summary",
        "dl",
        "dt",
        "dd",
        "p",
    }
    assert found.latex.count("$$") == 2 and found.latex.count(r"\end{aligned}") == 1
    inside = re.sub(r"\\[{}]", "", found.latex)
    assert inside.count("{") == inside.count("}")
    assert not re.search(r"(?<!\\)[%#]", found.latex)
    assert len(str(found)) < 4000


def test_a_long_chain_without_a_step_is_bounded() -> None:
    x = unroll.placeholder([None, 3], "x")
    y = x
    for _ in range(5000):
        y = unroll.ops.tanh(y)
    for place in range(3000):
        y = unroll.ops.sigmoid(y + float(place)) * y
    found = unroll.explain(unroll.Graph([x], {"y": y}))
    for said in (str(found), found.latex, found.html):
        assert len(said) < 150_000 and " more ..." in said
    assert max(map(len, str(found).splitlines())) < 600


# -- what is refused ---------------------------------------------------------------------------------------------------

GRAPH = unroll.Graph(X := step_inputs(3), unroll.static_rnn(unroll.GRUCell(2), X)[0])
FED = {f"X{step}": np.ones((2, 4), "float32") for step in range(3)}
REFUSED: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "a step too late": (lambda: unroll.explain(GRAPH, step=3), ValueError, ("step 3", "0 to 2")),
    "a step below 0": (lambda: unroll.explain(GRAPH, step=-1), ValueError, ("step is -1",)),
    "a unit without feeds": (lambda: unroll.explain(GRAPH, unit=1), ValueError, ("give feeds",)),
    "a unit too far": (lambda: unroll.explain(GRAPH, FED, unit=2), ValueError, ("unit 2",)),
    "a row too far": (lambda: unroll.explain(GRAPH, FED, row=2), ValueError, ("row 2",)),
    "a path": (lambda: unroll.explain("model.onnx"), TypeError, ("Graph",)),
    "a class": (lambda: unroll.explain(unroll.GRUCell), TypeError, ("Graph",)),
    "a cell that has no weights": (
        lambda: unroll.explain(unroll.GRUCell(2)),
        ValueError,
        ("has no weights yet", "call it"),
    ),
    "feeds that do not fit": (lambda: unroll.explain(GRAPH, {"X0": 1}), ValueError, ("X0",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_explained_is_refused_with_what_to_do(name: str) -> None:
    call, builtin, fragments = REFUSED[name]
    refused(call, builtin, *fragments)
