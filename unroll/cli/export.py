"""``unroll export``: a graph as an ONNX model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import unroll
from unroll.cli.command import Command
from unroll.cli.options import FORMS, add_opset, add_output, add_program, add_proof, given, is_file, say, write_model
from unroll.cli.statuses import DONE

if TYPE_CHECKING:
    from onnx import ModelProto

    from unroll.graph import Graph


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.onnx", "the model")
    parser.add_argument("--form", help=f"{FORMS} (default: flat, and loops over time as Scan)")
    add_opset(parser)
    parser.add_argument(
        "--ir-version", type=int, metavar="N", help="version of the file format (default: the oldest for the opset)"
    )
    parser.add_argument(
        "--any-runtime", action="store_true", help="allow operators for which onnxruntime has no kernel"
    )
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    settings: dict[str, Any] = given(opset=options.opset, ir_version=options.ir_version)
    settings["runtime"] = None if options.any_runtime else "onnxruntime"
    if is_file(options):
        settings["check"] = False  # it is proven on the file itself

    def make(graph: Graph, dims: dict[str, int] | None) -> ModelProto:
        return unroll.to_onnx(graph, form=options.form, **settings)

    say(options, write_model(options, make))
    return DONE


COMMAND = Command(
    "export",
    "write the graph as an ONNX model, flat unless another form is asked for",
    "Write a graph as an ONNX model: flat, or in the form asked for. What is written of an .onnx file is run beside it in "
    "onnxruntime, and kept only where both agree.",
    (
        "unroll export examples/image_rows_lstm.py:image_rows -o lstm.onnx --opset 17",
        "unroll export examples/image_rows_lstm.py:image_rows -o fast.onnx --form rerolled",
        "unroll export lstm.onnx -o scan.onnx --form scan",
    ),
    _add,
    _run,
    (".onnx",),
)
