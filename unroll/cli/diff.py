"""``unroll diff``: what differs between two graphs, in words and as a picture."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_output, add_program, add_sizes, graphs_of
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser, "program", "A")
    add_program(parser, "other", "B")
    add_output(parser, "FILE", "the picture: .svg, .png or .pdf (default: none, only words)", required=False)
    add_sizes(parser)


def _run(options: argparse.Namespace) -> int:
    (one, other), _ = graphs_of(options, ["program", "other"])
    with busy(f"comparing {len(one.nodes) + len(other.nodes):,} nodes"):
        found = unroll.draw_diff(one, other, options.output)
    show(str(found))
    if options.output:
        show(f"wrote {options.output}")
    return DONE


COMMAND = Command(
    "diff",
    "say and draw what was added, removed and changed between two graphs or files",
    "Say what was added, removed and changed between two graphs or files, and draw it: operators, attributes, shapes and "
    "weights. Whether both compute the same says unroll equivalent.",
    (
        "unroll diff lstm.onnx smaller.onnx -o diff.svg",
        "unroll diff examples/image_rows_lstm.py:image_rows lstm.onnx",
    ),
    _add,
    _run,
    (".svg", ".png", ".pdf"),
)
