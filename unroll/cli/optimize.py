"""``unroll optimize``: fewer and cheaper nodes, still flat, pass by pass."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_opset, add_output, add_program, add_proof, given, say, write_model
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.progress import busy

if TYPE_CHECKING:
    from onnx import ModelProto

    from unroll.graph import Graph


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(
        parser, "FILE.onnx", "the model to write, once it is proven (default: say what is gained)", required=False
    )
    parser.add_argument(
        "--batch", type=int, default=1, metavar="N", help="how many rows it is made for; it takes any (default: 1)"
    )
    add_opset(parser)
    add_proof(parser)


def _run(options: argparse.Namespace) -> int:
    def make(graph: Graph, dims: dict[str, int] | None) -> ModelProto:
        with busy(f"optimizing {len(graph.nodes):,} nodes"):
            smaller, report = unroll.optimize(graph, report=True, batch=options.batch)
        say(options, report)
        model = unroll.to_onnx(smaller, fold_weights=True, **given(opset=options.opset))
        computed = len(smaller.nodes) - len(model.graph.node)
        of_weights = f"; {computed:,} of them work on weights alone, and are computed in the file" if computed else ""
        show(f"{len(graph.nodes):,} nodes became {len(smaller.nodes):,}{of_weights}")
        return model

    said = write_model(options, make)
    if said:
        say(options, said)
    return DONE


COMMAND = Command(
    "optimize",
    "make a flat graph smaller, say what each pass gained, and prove it",
    "Make a flat graph smaller: one product for all steps, one Sigmoid for all gates, and so on. It stays flat. The table "
    "says what each pass gained; what is written is proven first.",
    (
        "unroll optimize examples/image_rows_lstm.py:image_rows",
        "unroll optimize lstm.onnx -o smaller.onnx",
    ),
    _add,
    _run,
    (".onnx",),
)
