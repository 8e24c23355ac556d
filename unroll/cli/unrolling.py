"""``unroll unroll``: a file's loops as the nodes of their steps."""

from __future__ import annotations

import argparse

from unroll.cli.arrays import read_values
from unroll.cli.command import Command
from unroll.cli.options import (
    add_feeds,
    add_opset,
    add_output,
    add_program,
    add_sizes,
    add_tolerance,
    add_values,
    given,
    model_of,
    say,
)
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.onnx", "the model to write, once it is proven")
    add_sizes(parser, "a symbol of the inputs, which the file that is written has no more")
    add_values(parser)
    parser.add_argument("--most-nodes", type=int, metavar="N", help="how many nodes may be made (default: 1000000)")
    add_opset(parser, "the file's own, from 13 on")
    add_tolerance(parser)
    add_feeds(parser, "what the old and the new file are both run on (default: generated)")


def _run(options: argparse.Namespace) -> int:
    from unroll.export.file_unrolling import unroll_file  # loads onnx and onnxruntime

    values = read_values(options.value)
    source, feeds, dims = model_of(options)
    with busy("unrolling"):
        found = unroll_file(
            source,
            options.output,
            dims=dims,
            values=values,
            tolerance=options.tolerance,
            seed=options.seed,
            feeds=feeds,
            **given(opset=options.opset, most_nodes=options.most_nodes),
        )
    say(options, found)
    show(f"wrote {found.path}")
    return DONE


COMMAND = Command(
    "unroll",
    "write the LSTM, GRU, RNN, Scan, Loop and If of a file step by step, for a runtime that has none, and prove it",
    "Write the LSTM, GRU, RNN, Scan, Loop and If operators of a file, whoever made it, as the plain nodes of their steps, for "
    "a runtime that has no such operators. The new model is run beside the old one in onnxruntime before it is written. Sizes "
    "and inputs that decide how many steps there are are given by name; what cannot be unrolled is named, with what would "
    "settle it.",
    (
        "unroll unroll fast.onnx -o flat.onnx",
        "unroll unroll fast.onnx -o flat.onnx --dim batch=1",
    ),
    _add,
    _run,
    (".onnx",),
)
