"""``unroll summary``: a graph as a table."""

from __future__ import annotations

import argparse

from unroll.cli.command import Command
from unroll.cli.options import add_program, add_sizes, graph_of
from unroll.cli.output import line_width, show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    parser.add_argument("--full", action="store_true", help="list every node, and every input of it, however many")
    add_sizes(parser)


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    with busy(f"summing up {len(graph.nodes):,} nodes"):
        text = graph.summary(full=options.full, width=line_width())
    show(text)
    return DONE


COMMAND = Command(
    "summary",
    "print inputs, parameters with their blocks, nodes and outputs",
    "Print the inputs of a graph, its parameters with their blocks, its nodes and its outputs, in lines that fit the "
    "terminal (100 letters where there is none).",
    (
        "unroll summary examples/image_rows_lstm.py:image_rows",
        "unroll summary lstm.onnx --full",
        "unroll summary model.py:model --dim time=28",
    ),
    _add,
    _run,
)
