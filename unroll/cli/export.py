"""``unroll export``: a graph as an ONNX model, or as C."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import unroll
from unroll.cli.command import Command
from unroll.cli.options import (
    FORMS,
    add_opset,
    add_output,
    add_program,
    add_proof,
    given,
    graph_of,
    is_file,
    say,
    write_model,
)
from unroll.cli.statuses import DONE
from unroll.errors import ArgumentError

if TYPE_CHECKING:
    from onnx import ModelProto

    from unroll.graph import Graph


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.onnx", "the model; FILE.c writes C, and FILE.h beside it")
    parser.add_argument("--form", help=f"{FORMS} (default: flat, and loops over time as Scan)")
    add_opset(parser)
    parser.add_argument(
        "--ir-version", type=int, metavar="N", help="version of the file format (default: the oldest for the opset)"
    )
    parser.add_argument(
        "--any-runtime", action="store_true", help="allow operators for which onnxruntime has no kernel"
    )
    parser.add_argument("--dtype", metavar="float16", help="hold the weights of C in float16")
    parser.add_argument("--quantize", metavar="int8", help="hold the weights of C as whole numbers of int8")
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    if str(options.output or "").endswith(".c"):
        say(options, _as_c(options))
        return DONE
    for name in ("dtype", "quantize"):
        if getattr(options, name):
            raise ArgumentError(
                f"--{name}: it is for C (-o FILE.c); unroll compile MODEL -o FILE.onnx --{name} {getattr(options, name)} "
                "does it for ONNX"
            )
    settings: dict[str, Any] = given(opset=options.opset, ir_version=options.ir_version)
    settings["runtime"] = None if options.any_runtime else "onnxruntime"
    if is_file(options):
        settings["check"] = False  # it is proven on the file itself

    def make(graph: Graph, dims: dict[str, int] | None) -> ModelProto:
        return unroll.to_onnx(graph, form=options.form, **settings)

    say(options, write_model(options, make))
    return DONE


def _as_c(options: argparse.Namespace) -> str:
    """Write C, whose sizes are fixed, and return what is to be said of it."""
    for name in ("form", "opset", "ir_version", "any_runtime", "feed"):
        if getattr(options, name):
            flag = name.replace("_", "-")
            raise ArgumentError(f"--{flag}: it is for ONNX, and {options.output} is C; leave it out")
    graph, dims = graph_of(options, sizes_of_feeds=True)
    path = Path(options.output)
    source = unroll.to_c(graph, str(path), dims=dims, dtype=options.dtype, quantize=options.quantize)
    lost = source.report().lost if options.dtype or options.quantize else None
    said = "" if lost is None else f"\n{lost:.1e} of max(1, |value|) lost on random feeds"
    return f"{source}{said}\nwrote {path} and {path.with_suffix('.h')}"


COMMAND = Command(
    "export",
    "write the graph as an ONNX model, flat unless another form is asked for, or as C",
    "Write a graph as an ONNX model: flat, or in the form asked for. What is written of an .onnx file is run beside it in "
    "onnxruntime, and kept only where both agree. -o FILE.c writes C99 without dependencies, of the sizes given by --dim.",
    (
        "unroll export examples/image_rows_lstm.py:image_rows -o lstm.onnx --opset 17",
        "unroll export examples/image_rows_lstm.py:image_rows -o fast.onnx --form rerolled",
        "unroll export lstm.onnx -o scan.onnx --form scan",
        "unroll export examples/image_rows_lstm.py:image_rows -o lstm.c --dim batch=1 --quantize int8",
    ),
    _add,
    _run,
    (".onnx", ".c"),
)
