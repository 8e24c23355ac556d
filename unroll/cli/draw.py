"""``unroll draw``: a graph as a picture."""

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
    add_output(parser, "FILE", "the picture: .svg, .png, .pdf or .dot")
    parser.add_argument(
        "--level", default="cell", help="cell: one box a cell and step; op: every operator (default: %(default)s)"
    )
    parser.add_argument("--full", action="store_true", help="draw every step, however many")
    add_sizes(parser)
    add_feeds(parser, "print values of small tensors in the picture, computed from these feeds")


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    feeds = feeds_of(options, lambda: names_of(graph))
    with busy(f"drawing {len(graph.nodes):,} nodes"):
        unroll.draw(graph, options.output, level=options.level, feeds=feeds, full=options.full)
    show(f"wrote {options.output}")
    return DONE


COMMAND = Command(
    "draw",
    "draw the graph as SVG, PNG, PDF or DOT",
    "Draw a graph. The suffix of the file chooses the format.",
    (
        "unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o rnn.svg --level op",
        "unroll draw lstm.onnx -o lstm.png --full",
        "unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o values.svg --feed X0=x.npy --feed X1=x.npy",
    ),
    _add,
    _run,
    (".svg", ".png", ".pdf", ".dot", ".gv"),
)
