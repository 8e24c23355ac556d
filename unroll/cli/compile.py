"""``unroll compile``: which form of a graph is the fastest here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import unroll
from unroll.cli.command import Command
from unroll.cli.options import FORMS, add_output, add_program, add_proof, graph_of, refuse_feeds, say, write_model
from unroll.cli.output import line_width
from unroll.cli.statuses import DONE

if TYPE_CHECKING:
    from onnx import ModelProto

    from unroll.export.compiled import CompiledSession
    from unroll.graph import Graph


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.onnx", "the fastest form (default: print the table)", required=False)
    parser.add_argument(
        "--batch", type=int, metavar="N", help="how many rows to be fast at; the model takes any (default: 1)"
    )
    parser.add_argument("--form", metavar="FORM", help=f"only this form: {FORMS}")
    parser.add_argument("--dtype", metavar="float16", help="compute in float16; inputs and outputs stay as they are")
    parser.add_argument("--quantize", metavar="int8", help="multiply by int8 weights")
    parser.add_argument("--no-tune", action="store_true", help="choose by an estimate, and measure nothing")
    parser.add_argument("--no-cache", action="store_true", help="measure again, and do not remember what was found")
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    settings = {
        "batch": options.batch,
        "tune": not options.no_tune,
        "form": options.form,
        "dtype": options.dtype,
        "quantize": options.quantize,
        "cache": not options.no_cache,
    }

    def make(graph: Graph, dims: dict[str, int] | None) -> ModelProto:
        session: CompiledSession = unroll.compile(graph, dims=dims, **settings)
        say(options, session.choice.table(line_width()))
        return session.model()

    if options.output:
        say(options, write_model(options, make, sizes_of_feeds=True))
        return DONE
    refuse_feeds(options)
    graph, dims = graph_of(options, sizes_of_feeds=True)
    say(options, unroll.compile(graph, "auto", dims=dims, **settings).choice.table(line_width()))
    return DONE


COMMAND = Command(
    "compile",
    "measure every form of a graph on this machine, and choose the fastest",
    "Run every form that a graph can take on this machine, in turns, and print the table of forms and times; without -o "
    "compiled C, too, where a compiler is found. What was found is remembered, so that a second call measures nothing.",
    (
        "unroll compile examples/image_rows_lstm.py:image_rows",
        "unroll compile lstm.onnx -o fastest.onnx --batch 32",
    ),
    _add,
    _run,
    (".onnx",),
)
