"""``unroll view``: a graph as a page in the browser."""

from __future__ import annotations

import argparse
import tempfile
import webbrowser
from pathlib import Path

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_output, add_program, add_sizes, feeds_of, graph_of, names_of
from unroll.cli.output import show
from unroll.cli.statuses import DONE
from unroll.files import as_path
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(parser, "FILE.html", "the page (default: a file in the folder for temporary files)", required=False)
    parser.add_argument("--no-browser", action="store_true", help="write the page, and do not open it")
    add_sizes(parser)
    add_feeds(parser, "show what every gate, state and operator holds at every step, computed from these feeds")


def _run(options: argparse.Namespace) -> int:
    graph, _ = graph_of(options)
    page = as_path(options.output, "--output") if options.output else _own_file(options.program)
    feeds = feeds_of(options, lambda: names_of(graph))
    with busy(f"laying out a page of {len(graph.nodes):,} nodes"):
        unroll.view(graph, page, feeds=feeds)
    show(f"wrote {page}")
    if not options.no_browser and not webbrowser.open(page.resolve().as_uri()):
        show("no browser could be opened: open that file in one")
    return DONE


def _own_file(program: str) -> Path:
    """Return a file for the page of a program or a model, called like it."""
    path, _, name = program.rpartition(":") if not program.endswith(".onnx") else (program, "", "")
    stem = name if name.isidentifier() else Path(path or program).stem
    return Path(tempfile.mkdtemp(prefix="unroll-")) / f"{stem}.html"


COMMAND = Command(
    "view",
    "show the graph as a page: cells over time, kernels to scale, formulas, values",
    "Write a page of a graph, one file that needs no network, and open it in the browser.",
    (
        "unroll view examples/image_rows_lstm.py:image_rows --feed X=images.npy",
        "unroll view lstm.onnx -o lstm.html --no-browser",
    ),
    _add,
    _run,
    (".html", ".htm"),
)
