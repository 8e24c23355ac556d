"""``unroll reroll``: a flat file's repeated steps as native operators again."""

from __future__ import annotations

import argparse

from unroll.cli.command import Command
from unroll.cli.options import (
    add_opset,
    add_output,
    add_program,
    add_proof,
    add_tolerance,
    model_of,
    say,
)
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.onnx", "the model to write, once it is proven")
    add_opset(parser, "the file's own, from 13 on")
    add_tolerance(parser)
    parser.add_argument("--no-measure", action="store_true", help="do not measure how much faster it is")
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    from unroll.export.file_rerolling import reroll_file  # loads onnx and onnxruntime

    source, feeds, dims = model_of(options)
    with busy("re-rolling"):
        found = reroll_file(
            source,
            options.output,
            opset=options.opset,
            tolerance=options.tolerance,
            seed=options.seed,
            feeds=feeds,
            dims=dims,
            measure=not options.no_measure,
        )
    say(options, found)
    show(f"wrote {found.path}")
    return DONE


COMMAND = Command(
    "reroll",
    "turn the repeated steps of a flat file or program back into native operators, prove it, and say what is gained",
    "Turn the repeated steps of a flat file, whoever made it, back into LSTM, GRU or RNN operators, or into a Scan. The new "
    "model is run beside the old one in onnxruntime before it is written; a program is first written flat. What was gained "
    "is said in nodes and in time.",
    (
        "unroll reroll lstm.onnx -o fast.onnx",
        "unroll reroll examples/image_rows_lstm.py:image_rows -o fast.onnx",
        "unroll reroll lstm.onnx -o fast.onnx --tolerance 1e-4 --no-measure",
    ),
    _add,
    _run,
    (".onnx",),
)
