"""``unroll verify``: three runners on one graph."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.arrays import read_dims, read_values
from unroll.cli.command import Command
from unroll.cli.options import (
    add_feeds,
    add_program,
    add_sizes,
    add_tolerance,
    add_values,
    feeds_of,
    graph_of,
    is_file,
    names_of,
    say,
)
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_tolerance(parser)
    parser.add_argument(
        "--nonfinite", action="store_true", help="feed NaN and infinities as well, and say where runners differ on them"
    )
    parser.add_argument(
        "--runners", choices=("c",), help="c: the graph as C as well, compiled by the machine's compiler"
    )
    add_feeds(parser, "feed the inputs (default: generated)")
    add_sizes(
        parser, "a symbol of the inputs, for feeds that are generated, or the time of a model that leaves it open"
    )
    add_values(parser)


def _run(options: argparse.Namespace) -> int:
    if is_file(options):
        subject, dims = options.program, read_dims(options.dim)
        feeds = feeds_of(options)
    else:
        subject, dims = graph_of(options, sizes_of_feeds=True)
        feeds = feeds_of(options, lambda: names_of(subject))
    with busy("verifying"):
        found = unroll.verify(
            subject,
            feeds,
            tolerance=options.tolerance,
            seed=options.seed,
            dims=dims,
            nonfinite=options.nonfinite,
            runners=options.runners,
            values=read_values(options.value),
        )
    say(options, found)
    return DONE


COMMAND = Command(
    "verify",
    "check that NumPy, onnx's reference evaluator and onnxruntime agree on a graph, or on a file as it is",
    "Run a graph, or a file as it is, in NumPy, in onnx's reference evaluator and in onnxruntime, and compare every output. "
    "The exit status is 0 where they agree, 1 where they do not, and 2 where nobody could tell.",
    (
        "unroll verify examples/image_rows_lstm.py:image_rows --nonfinite",
        "unroll verify lstm.onnx --tolerance 1e-4 --seed 7",
        "unroll verify lstm.onnx --runners c",
    ),
    _add,
    _run,
)
