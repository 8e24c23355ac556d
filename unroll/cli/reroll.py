"""``unroll reroll``: a flat file's repeated steps as native operators again."""

from __future__ import annotations

import argparse

from unroll.cli.arrays import read_dims
from unroll.cli.command import Command
from unroll.cli.options import add_opset, add_output, add_proof, add_tolerance, feeds_of, say
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.errors import ArgumentError


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="FILE.onnx", help="a flat .onnx file, whoever made it")
    add_output(parser, "FILE.onnx", "the model to write, once it is proven")
    add_opset(parser, "the file's own, from 13 on")
    add_tolerance(parser)
    parser.add_argument("--no-measure", action="store_true", help="do not measure how much faster it is")
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    from unroll.export.file_rerolling import reroll_file  # loads onnx and onnxruntime

    if ".py:" in options.program:
        raise ArgumentError(
            f"{options.program!r} is a program, and reroll reads a flat .onnx file; write a program re-rolled with "
            "unroll export --form rerolled"
        )
    found = reroll_file(
        options.program,
        options.output,
        opset=options.opset,
        tolerance=options.tolerance,
        seed=options.seed,
        feeds=feeds_of(options),
        dims=read_dims(options.dim),
        measure=not options.no_measure,
    )
    say(options, found)
    show(f"wrote {found.path}")
    return DONE


COMMAND = Command(
    "reroll",
    "turn a flat ONNX file's repeated steps back into native operators, prove it, and say what is gained",
    "Turn a flat ONNX file's repeated steps back into LSTM, GRU or RNN operators, or into a Scan. The new model is run "
    "beside the old one in onnxruntime before it is written. What was gained is said in nodes and in time.",
    (
        "unroll reroll lstm.onnx -o fast.onnx",
        "unroll reroll lstm.onnx -o fast.onnx --tolerance 1e-4 --no-measure",
    ),
    _add,
    _run,
    (".onnx",),
)
