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
    add_output(parser, "FILE", "the picture: .svg, .png, .pdf or .dot, or .mmd, Mermaid text for Markdown")
    parser.add_argument(
        "--level",
        default="cell",
        help="cell: one box a cell and step; op: every operator; layer: one box a layer and loop (default: %(default)s)",
    )
    parser.add_argument("--full", action="store_true", help="draw every step, however many")
    parser.add_argument("--title", metavar="TEXT", help="a text over the picture")
    parser.add_argument("--legend", action="store_true", help="say under the picture what colours and arrows mean")
    parser.add_argument("--theme", default="light", help="light or dark (default: %(default)s)")
    parser.add_argument("--direction", help="right or up: where data goes at the level of layers and in Mermaid text")
    parser.add_argument("--dpi", type=int, metavar="DOTS", help="dots an inch of a .png (default: 144)")
    add_sizes(parser)
    add_feeds(parser, "print values of small tensors in the picture, computed from these feeds")


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    feeds = feeds_of(options, lambda: names_of(graph))
    with busy(f"drawing {len(graph.nodes):,} nodes"):
        unroll.draw(
            graph,
            options.output,
            level=options.level,
            feeds=feeds,
            full=options.full,
            title=options.title,
            direction=options.direction,
            theme=options.theme,
            dpi=options.dpi,
            legend=options.legend,
        )
    show(f"wrote {options.output}")
    return DONE


COMMAND = Command(
    "draw",
    "draw the graph as SVG, PNG, PDF, DOT or Mermaid text",
    "Draw a graph. The suffix of the file chooses the format.",
    (
        "unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o rnn.svg --level op",
        "unroll draw lstm.onnx -o lstm.png --full",
        "unroll draw examples/image_rows_lstm.py:image_rows -o layers.svg --level layer --theme dark",
        "unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o values.svg --feed X0=x.npy --feed X1=x.npy",
    ),
    _add,
    _run,
    (".svg", ".png", ".pdf", ".dot", ".gv", ".mmd", ".mermaid"),
)
