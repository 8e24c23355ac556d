"""``unroll gate-order``: in which order the gates of a cell's weights stand."""

from __future__ import annotations

import argparse
from typing import Any

import unroll
from unroll import parameter_files
from unroll.array_files import read_npy
from unroll.cli.arrays import as_text
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_program, add_sizes, feeds_of, graph_of, names_of, say
from unroll.cli.statuses import DISAGREES, DONE
from unroll.files import as_path, read_bytes
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    parser.add_argument(
        "--expected",
        required=True,
        metavar="FILE",
        help="what the outputs should be, such as the other framework's: .npz by name, or .npy for one output",
    )
    parser.add_argument(
        "--cell",
        type=as_text,
        metavar="NAME",
        help="the one cell whose weights are read in other orders (default: all)",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="X",
        help="an order fits where |a - b| <= X * max(1, the largest |b|) (default: 1e-05 for float32)",
    )
    add_feeds(parser, "what the expected outputs were computed from")
    add_sizes(parser)


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    expected = _expected(options.expected)
    feeds = feeds_of(options, lambda: names_of(graph)) or {}
    with busy("trying orders of gates"):
        found = unroll.check_gate_order(graph, feeds, expected, cell=options.cell, tolerance=options.tolerance)
    say(options, found)
    return DONE if found else DISAGREES


def _expected(path: str) -> Any:
    file = as_path(path, "--expected")
    return read_npy(read_bytes(file), path) if file.suffix == ".npy" else parameter_files.load(file)


COMMAND = Command(
    "gate-order",
    "say which order of gates, and which forget bias, gives the outputs that are expected",
    "Read the weights of the cells of a graph or a file in every order of their gates, with and without a forget bias, and "
    "say which gives the outputs that another framework has computed. The exit status is 0 where the cells give them as "
    "they are, and 1 where they do not.",
    (
        "unroll gate-order lstm.onnx --feeds inputs.npz --expected outputs.npz",
        "unroll gate-order lstm.onnx --feed X=images.npy --expected outputs.npz --cell rnn/basic_lstm_cell",
    ),
    _add,
    _run,
)
