"""``unroll values``: what gates and states hold at every step, as a picture."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_output, add_program, add_sizes, feeds_of, graph_of, names_of
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE", "the picture: .svg, .png or .pdf")
    parser.add_argument("--row", type=int, default=0, metavar="N", help="which row of the batch (default: %(default)s)")
    add_sizes(parser)
    add_feeds(parser, "what the values are computed from")


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    feeds = feeds_of(options, lambda: names_of(graph)) or {}
    with busy(f"drawing the values of {len(graph.nodes):,} nodes"):
        unroll.draw_values(graph, feeds, options.output, row=options.row)
    show(f"wrote {options.output}")
    return DONE


COMMAND = Command(
    "values",
    "draw what gates, states and outputs hold at every step",
    "Draw what the gates, states and outputs of cells hold at every step, as strips of colour on one time axis. The suffix of "
    "the file chooses the format.",
    (
        "unroll values examples/image_rows_lstm.py:image_rows --feed X=images.npy -o values.svg",
        "unroll values lstm.onnx --feed images.npy -o values.png --row 1",
    ),
    _add,
    _run,
    (".svg", ".png", ".pdf"),
)
