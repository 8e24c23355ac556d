"""``unroll demo``: two textbook programs, their pictures and models, and a page of one of them."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import unroll
from unroll.cli.command import Command
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.files import as_path, make_folder


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", default="unroll-demo", metavar="FOLDER", help="where to write (default: %(default)s)"
    )


def _run(options: argparse.Namespace) -> int:
    _demo(options.output)
    return DONE


COMMAND = Command(
    "demo",
    "two textbook programs: their names, shapes, values, pictures, ONNX models, and a page",
    "Trace, show, run, verify, draw and export two textbook programs into a folder, and write a page of one.",
    ("unroll demo", "unroll demo -o two-programs"),
    _add,
    _run,
)


def _demo(folder: str) -> None:
    """Trace, show, run, verify, draw and export the two programs, and write a page of the second, into `folder`.

    Raises:
        FileError: the folder cannot be made or written.
    """
    from unroll.examples import image_rows_lstm, static_rnn_two_steps  # load all that they use

    target = as_path(folder, "--output")
    make_folder(target)
    show("1. static_rnn of two steps: 3 inputs, 5 units, kernel all ones, both steps fed [0, 0.1, 0.2]\n")
    x = static_rnn_two_steps.x
    _show(static_rnn_two_steps.with_static_rnn(), {"X0": x, "X1": x}, target / "static_rnn_two_steps")
    show("\n2. The rows of an image through an LSTM: 28 steps of 28 pixels, 13 units\n")
    rows, images = image_rows_lstm.image_rows(), {"X": _images()}
    _show(rows, images, target / "image_rows_lstm")
    page = target / "image_rows_lstm.html"
    unroll.view(rows, page, feeds=images)
    show(f"\n3. The same as a page: every gate, state and formula at every step\n\n  wrote {page}")
    show(f"\nEverything is in {target.resolve()}")
    show(f"To see the page, open it in a browser: {page.resolve().as_uri()}")


def _images() -> Any:
    from unroll.examples import image_rows_lstm  # loads all that it uses

    try:
        images = image_rows_lstm.digits()
    except ImportError:
        show("scikit-learn is not installed: pip install scikit-learn for real digits. Going on with generated rows.")
        return image_rows_lstm.generated()
    show("8 handwritten digits, resized to 28 x 28")
    return images


def _show(graph: unroll.Graph, feeds: Mapping[str, Any], path: Path) -> None:
    for name, parameter in graph.parameters.items():
        show(f"  {name} {parameter.shape} = {parameter.blocks}")
    values = graph.run(feeds)
    names = list(values)
    shown = names if len(names) <= 4 else [*names[:2], *names[-2:]]
    for name in shown:
        if len(names) > 4 and name == names[-2]:
            show(f"  ... {len(names) - 4} more outputs ...")
        show(
            f"  {name} {values[name].shape}: {np.array2string(values[name][0], precision=8, threshold=6, edgeitems=2)}"
        )
    show(textwrap.indent(str(unroll.verify(graph, feeds, nonfinite=True)), "  "))
    for suffix in (".svg", ".png"):
        unroll.draw(graph, path.with_suffix(suffix))
    unroll.save(graph, path.with_suffix(".onnx"))
    show(f"  wrote {path}.svg, .png and .onnx")
