"""``unroll explain``: the equations of a graph or a file."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_program, add_sizes, feeds_of, graph_of, names_of
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    parser.add_argument("--step", type=int, metavar="N", help="the one step that is explained (default: all of them)")
    parser.add_argument(
        "--unit", type=int, metavar="N", help="whose numbers are put in, from 0 on (default: 0, where there are feeds)"
    )
    parser.add_argument("--row", type=int, default=0, metavar="N", help="the row of the batch (default: %(default)s)")
    parser.add_argument("--latex", action="store_true", help="print LaTeX")
    add_feeds(parser, "put in the numbers of a run (default: the equations alone)")
    add_sizes(parser)


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    feeds = feeds_of(options, lambda: names_of(graph))
    with busy(f"reading {len(graph.nodes):,} nodes"):
        found = unroll.explain(graph, feeds, step=options.step, unit=options.unit, row=options.row)
    show(found.latex if options.latex else str(found))
    return DONE


COMMAND = Command(
    "explain",
    "print the equations of one step, with the numbers of a run put in if feeds are given",
    "Print what the cells and layers of a graph or a file compute, as equations: one step of each, and the first step where "
    "it differs. Given feeds, the numbers of one unit are put in.",
    (
        "unroll explain examples/image_rows_lstm.py:image_rows",
        "unroll explain lstm.onnx --feed X=images.npy --step 7 --unit 2",
        "unroll explain model.py:model --dim time=28 --latex",
    ),
    _add,
    _run,
)
