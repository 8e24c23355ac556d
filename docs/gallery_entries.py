"""What stands in docs/gallery.md: each picture and each page, how it is made, and what is seen in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from browser import Browser  # of the tests, as are the networks
from page_reading import random_feeds
from picture_networks import NETWORKS

import unroll
from unroll import layers
from unroll.examples import image_rows_lstm, static_rnn_two_steps


class Drawn(NamedTuple):
    """A picture of `unroll.draw`: its name, its heading, what is seen, the network, and how it is drawn."""

    name: str
    title: str
    text: str
    graph: Callable[[], unroll.Graph]
    level: Literal["cell", "op"] = "cell"
    feeds: Callable[[unroll.Graph], dict[str, Any]] | None = None

    @property
    def file(self) -> str:
        return f"{self.name}.svg"


class Shown(NamedTuple):
    """A page of `unroll.view`: its name, its heading, what is seen, the network, and what is done to it.

    `called` is what the page is called, `link` what is chosen by its link, `hands` what hands do then.
    """

    name: str
    title: str
    text: str
    called: str
    graph: Callable[[], unroll.Graph]
    feeds: Callable[[unroll.Graph], dict[str, Any]] | None
    link: str = ""
    hands: Callable[[Browser], object] | None = None
    size: tuple[int, int] = (1280, 800)
    expected: Callable[[unroll.Graph], dict[str, Any]] | None = None

    @property
    def file(self) -> str:
        return f"{self.name}.webp"


class Numbers(NamedTuple):
    """A picture of numbers: its name, its heading, what is seen, and what draws it."""

    name: str
    title: str
    text: str
    draw: Callable[[Path], object]

    @property
    def file(self) -> str:
        return f"{self.name}.svg"


def digits(_: unroll.Graph) -> dict[str, Any]:
    """Return eight handwritten digits."""
    return {"X": image_rows_lstm.digits()}


def rows(name: str, title: str, text: str, link: str = "", hands: Any = None, **more: Any) -> Shown:
    """Return a page of the rows of an image."""
    return Shown(name, title, text, "image_rows", image_rows_lstm.image_rows, digits, link, hands, **more)


def waves(graph: unroll.Graph) -> dict[str, Any]:
    """Eight waves, each slower than the one before, in four rows of different phase."""
    (spec,) = graph.input_specs
    time = np.arange(spec.shape[1])[None, :, None] + 40 * np.arange(4)[:, None, None]
    return {spec.name: np.sin(time / (3.0 * 2 ** np.arange(8)))}


def thousand_steps() -> unroll.Graph:
    """Return a Keras LSTM over a thousand steps."""
    return layers.Sequential([layers.Input((1000, 8)), layers.LSTM(13, name="lstm"), layers.Dense(2)]).trace()


def both_ways() -> unroll.Graph:
    """Return two Bidirectional layers of Keras."""
    both = [layers.Bidirectional(layers.LSTM(8, return_sequences=True)), layers.Bidirectional(layers.GRU(6))]
    return layers.Sequential([layers.Input((12, 4)), *both, layers.Dense(3, "softmax")]).trace()


def lengths() -> unroll.Graph:
    """Return a GRU whose rows of the batch have lengths of their own."""
    x, length = unroll.placeholder([None, 12, 4], "x"), unroll.placeholder([None], "length", "int32")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(8), x, sequence_length=length)
    return unroll.Graph([x, length], [outputs, state])


def seven_of_twelve(graph: unroll.Graph) -> dict[str, Any]:
    """Return feeds of three lengths, the second of which is 7."""
    return random_feeds(graph) | {"length": np.array([12, 7, 3], np.int32)}


def own_past() -> unroll.Graph:
    """Return a GRU that attends to its last three outputs."""
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(8)]
    outputs, _ = unroll.static_rnn(unroll.cells.AttentionCellWrapper(unroll.GRUCell(5), 3), inputs)
    return unroll.Graph(inputs, outputs)


def one_step_of_a_gru() -> unroll.Graph:
    """Return one step of a GRU."""
    x = unroll.placeholder([None, 4], "x")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(6), [x])
    return unroll.Graph([x], outputs)


def textbook(_: unroll.Graph) -> dict[str, Any]:
    """Return the feeds of the textbook's two steps."""
    return {"X0": static_rnn_two_steps.x, "X1": static_rnn_two_steps.x}


def path(browser: Browser) -> None:
    """Choose the first operator of the cell, and its last with Shift."""
    boxes = browser.run("return [...document.querySelectorAll('#open [data-box]')].map((one) => one.dataset.box)")
    browser.click(f'#open [data-box="{boxes[0]}"] rect')
    browser.click(f'#open [data-box="{boxes[-1]}"] rect', shift=True)


def loaded(gate_order: str, forget_bias: float) -> unroll.Graph:
    """Return an LSTM over twelve steps whose weights are loaded as if their gates were in this order."""
    rng = np.random.default_rng(1)
    cell = unroll.BasicLSTMCell(8, forget_bias=forget_bias)
    cell.set_weights(rng.normal(0, 0.5, (12, 32)), rng.normal(0, 0.5, 32), gate_order=gate_order)
    x = unroll.placeholder([None, 12, 4], "x")
    return unroll.Graph([x], {"y": unroll.dynamic_rnn(cell, x)[0]})


def another_version(path: Path) -> unroll.Difference:
    """Draw what differs between an LSTM and its next version, with another activation and another bias."""
    before, after = (
        layers.Sequential(
            [layers.Input((4, 3)), layers.LSTM(5, activation=activation, name="lstm"), layers.Dense(2)]
        ).trace()
        for activation in ("tanh", "softsign")
    )
    name = next(name for name in after.parameters if name.endswith("lstm_cell/bias"))
    after.parameters[name].assign(after.parameters[name].value + 0.25)
    return unroll.draw_diff(before, after, path)


PAGES: tuple[Shown, ...] = (
    rows(
        "first_screen",
        "The first screen",
        """
The rows of a handwritten 0 go through an LSTM of 13 units. Nothing has been clicked. Time runs from left to right: 28
cells, each with a bar for every gate, and below them what each gate and state holds at each step, a strip a unit. The
cell of step 7 is open. At the right are the kernel to scale with its gates, the range of each gate, and the formulas
of step 7 with the numbers of unit 2.
""",
    ),
    rows(
        "one_gate",
        "One gate, in dark colours",
        """
A click on a gate, or its number key, dims the others everywhere: in the cells, the tracks, the kernel, the table and
the formulas. Here it is the forget gate, for another digit. `#t=11&u=9&b=3&g=f&theme=dark` is the link that brings
this view back.
""",
        "t=11&u=9&b=3&g=f&theme=dark",
    ),
    rows(
        "operator",
        "One operator",
        """
A click on an operator opens it at the right: name, shape, dtype, attributes, what it reads, who reads it, and its
values at this step.
""",
        hands=lambda browser: browser.click("#open .box"),
    ),
    rows(
        "found",
        "Search",
        """
Search takes names, `op:Tanh` and `shape:13`. An operator of a cell is listed once for all steps, and a tick above each
step shows where it is.
""",
        hands=lambda browser: browser.key("/", *"op:tanh"),
    ),
    rows(
        "path",
        "The path between two operators",
        """
Click one operator, then another with Shift: what does not lie between them is dimmed.
""",
        hands=path,
    ),
    Shown(
        "thousand",
        "A thousand steps",
        """
Eight waves go through a Keras LSTM of 1,000 steps. The cells are one band until they have room, and the tracks show
all steps at once.
""",
        "thousand_steps",
        thousand_steps,
        waves,
        "t=400&u=2",
    ),
    Shown(
        "thousand_zoomed",
        "Thirty of a thousand",
        """
The same page after the wheel was turned: 30 steps about step 400, with their cells and gates.
""",
        "thousand_steps",
        thousand_steps,
        waves,
        "t=400&u=2&v=385-415",
    ),
    Shown(
        "both_ways",
        "Layers and directions",
        """
Two Bidirectional layers of Keras. Layers stand on one another, and the arrows of a backward row point to the left. A
row that reads the one under it has an arrow all the way; two directions side by side do not. The tracks, the kernel and
the formulas belong to the row that was clicked: the backward LSTM.
""",
        "both_ways",
        both_ways,
        random_feeds,
        "r=1",
        None,
        (1280, 1000),
    ),
    Shown(
        "encoder_decoder",
        "An encoder and a decoder",
        """
The decoder follows the encoder on one axis, each with steps of its own. Steps at which a mask keeps the state, for the
decoder has said its last word, are hatched.
""",
        "encoder_decoder",
        NETWORKS["example encoder_decoder"],
        random_feeds,
    ),
    Shown(
        "lengths",
        "Lengths",
        """
A GRU with `sequence_length`. This row of the batch has 7 of 12 steps; the rest is hatched. A GRU has two kernels, each
with its gates.
""",
        "lengths",
        lengths,
        seven_of_twelve,
        "b=1",
    ),
    Shown(
        "own_past",
        "Attention to the steps before",
        """
TensorFlow 1's AttentionCellWrapper looks back at its own last outputs: an arc to each of these steps, as dark as its
weight. The opened cell is wide, and goes on in a second line.
""",
        "own_past",
        own_past,
        random_feeds,
    ),
    Shown(
        "file",
        "A file of tf2onnx",
        """
A flat ONNX file that TensorFlow and tf2onnx made. Its steps, its cell, its gates and their order are found in the
operators.
""",
        "tf2onnx_lstm",
        NETWORKS["tf2onnx flat LSTM"],
        random_feeds,
    ),
    Shown(
        "expected",
        "Another framework's order of gates",
        """
An LSTM whose weights lie in PyTorch's order of gates, i, f, j, o, and were loaded as if in TensorFlow's, i, j, f, o, with
its forget bias. Given the outputs of the right order, the page says which order fits, and a track how far off each
step is.
""",
        "loaded",
        lambda: loaded("ijfo", 1.0),
        random_feeds,
        expected=lambda graph: loaded("ifgo", 0.0).run(random_feeds(graph)),
    ),
    Shown(
        "weights_alone",
        "Without feeds",
        """
Without arrays to run on, a page shows structure, weights and formulas, and says how to get values.
""",
        "stacked",
        NETWORKS["stacked"],
        None,
    ),
    Shown(
        "own_cell",
        "A cell of one's own",
        """
Any cell is laid out from its operators. This one has two states, a and b, and one weight.
""",
        "own_cell",
        NETWORKS["own cell"],
        random_feeds,
    ),
    rows(
        "phone",
        "A phone",
        """
The same page, 390 points wide. The opened cell is folded as a line of text is, and the numbers of the step are below it.
""",
        size=(390, 844),
    ),
)

PICTURES: tuple[Drawn, ...] = (
    Drawn(
        "values",
        "Operators, with their values",
        """
Two steps of a BasicRNNCell, every operator, with what it computes from the feeds. The kernel of ones is drawn once.
""",
        static_rnn_two_steps.with_static_rnn,
        "op",
        textbook,
    ),
    Drawn(
        "stacked",
        "Two layers",
        """
An LSTM of 8 units below a GRU of 4, over four steps: one box a cell and step, states from left to right, outputs
upwards. Each card below shows the weights of one cell to scale, with a block for each source and gate.
""",
        NETWORKS["stacked"],
    ),
    Drawn(
        "gru_operators",
        "One step of a GRU, every operator",
        """
A gate has one colour in the card and in the operators. Formulas name gates and states. The state begins with zeros.
""",
        one_step_of_a_gru,
        "op",
    ),
    Drawn(
        "both_directions",
        "Both directions, twice",
        """
The network of Keras's layers above, with three steps. Arrows of a backward layer point to the left.
""",
        NETWORKS["layers two Bidirectional"],
    ),
    Drawn(
        "two_loops",
        "One loop after another",
        """
An encoder hands its states to a decoder. Each says how many of its own steps are left out.
""",
        NETWORKS["two loops"],
    ),
    Drawn(
        "attention",
        "Attention",
        """
Each step of the decoder looks back over all outputs of the encoder. What is computed for a step stands below that
step.
""",
        NETWORKS["Bahdanau"],
    ),
    Drawn(
        "masked",
        "A mask",
        """
A layer is one box: Masking says which operators it is made of.
""",
        NETWORKS["layers masked LSTM"],
    ),
    Drawn(
        "numpy_style",
        "A loop of one's own",
        """
A loop over `h = tanh(x @ Wx + h @ Wh + b)` without any cell or scope: its steps are found.
""",
        NETWORKS["NumPy style"],
    ),
    Drawn(
        "flat_file",
        "A file of tf2onnx",
        """
The file of the page above. Nothing in it says what is a cell.
""",
        NETWORKS["tf2onnx flat LSTM"],
    ),
    Drawn(
        "rerolled",
        "Re-rolled",
        """
What `unroll.reroll` makes of four steps of a BasicLSTMCell: one LSTM operator, with W and R as one table in ONNX's
order of gates.
""",
        NETWORKS["rerolled LSTM"],
    ),
    Drawn(
        "scan_of_a_file",
        "A Scan",
        """
A file with a Scan in it: what goes around, what is read and made at each step, and the body inside as the cell that it
is.
""",
        NETWORKS["read back Scan"],
    ),
)

NUMBERS: tuple[Numbers, ...] = (
    Numbers(
        "kernel",
        "A kernel to scale",
        """
`unroll.draw_kernel(graph, "kernel.svg", values=True)`: 28 rows of x over 13 of h, and the columns of four gates, with
every number as a colour. The bias stands below.
""",
        lambda path: unroll.draw_kernel(image_rows_lstm.image_rows(), path, values=True),
    ),
    Numbers(
        "values_over_time",
        "Values over time",
        """
`unroll.draw_values(graph, feeds, "values.svg")`: what gates, states and outputs of the rows of an image hold, units
down and steps across.
""",
        lambda path: unroll.draw_values(rows_graph := image_rows_lstm.image_rows(), digits(rows_graph), path),
    ),
    Numbers(
        "difference",
        "What a new version changed",
        """
`unroll.draw_diff(before, after, "diff.svg")`: another activation, at all steps, and another bias.
""",
        another_version,
    ),
)
