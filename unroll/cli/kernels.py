"""``unroll kernels``: the weights of cells as a picture to scale."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.arrays import as_text
from unroll.cli.command import Command
from unroll.cli.options import add_output, add_program, add_sizes, graph_of
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE", "the picture: .svg, .png or .pdf")
    parser.add_argument("--values", action="store_true", help="show the numbers as colours, with their scale")
    parser.add_argument("--cell", type=as_text, metavar="NAME", help="the one cell to draw (default: all)")
    add_sizes(parser)


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    with busy("drawing kernels"):
        unroll.draw_kernel(graph, options.output, values=options.values, cell=options.cell)
    show(f"wrote {options.output}")
    return DONE


COMMAND = Command(
    "kernels",
    "draw the weights of cells to scale, with their blocks, blank or as heat maps",
    "Draw the weights of cells as rectangles to scale: sources down, gates across. The suffix of the file chooses the format.",
    (
        "unroll kernels examples/image_rows_lstm.py:image_rows -o kernel.svg",
        "unroll kernels lstm.onnx -o kernel.png --values",
    ),
    _add,
    _run,
    (".svg", ".png", ".pdf"),
)
