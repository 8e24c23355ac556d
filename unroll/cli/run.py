"""``unroll run``: a graph or a file on arrays."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import unroll
from unroll.cli.arrays import as_text, described, listing, write_arrays
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_output, add_program, add_sizes, feeds_of, graph_of, is_file
from unroll.cli.output import line_width, show
from unroll.cli.statuses import DONE
from unroll.errors import ArgumentError


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser)
    add_output(
        parser, "FILE", "write the results whole: .npz, or .npy for one of them (default: print them)", required=False
    )
    parser.add_argument(
        "--fetch",
        action="append",
        default=[],
        type=as_text,
        metavar="NAME",
        help="a tensor to compute, an inner one too; may be repeated (default: the outputs)",
    )
    add_sizes(parser)
    add_feeds(parser, "feed the inputs")


def _run(options: argparse.Namespace) -> int:
    session = _session(options)
    names = list(dict.fromkeys(options.fetch)) or list(session.output_names)
    feeds = feeds_of(options, lambda: [item.name for item in session.inputs]) or {}
    # What a program fetches are its outputs in order: an input has another name as an output.
    found = session.run(feeds, names if is_file(options) else list(session.output_names))
    results = dict(zip(names, found, strict=True))
    if options.output:
        write_arrays(results, options.output)
        show(f"wrote {options.output}: {listing(results)}")
    else:
        show(described(results, line_width()))
    return DONE


def _session(options: argparse.Namespace) -> unroll.Session:
    """Return a session whose outputs are those asked for, inner tensors among them."""
    if not is_file(options):
        graph, _ = graph_of(options)
        return unroll.Session(_fetched(graph, options.fetch))
    if options.dim:
        raise ArgumentError("--dim: a file takes the sizes of what it is fed; leave it out")
    if not options.fetch:
        return unroll.Session(options.program)
    from unroll.export.running.inner_outputs import session_with  # loads onnx and onnxruntime

    return session_with(options.program, options.fetch)


def _fetched(graph: unroll.Graph, names: Sequence[str]) -> unroll.Graph:
    """Return the graph with the tensors fetched as its outputs: inner ones can be fetched too."""
    return unroll.Graph(graph.inputs, {name: graph.tensor(name) for name in dict.fromkeys(names)}) if names else graph


COMMAND = Command(
    "run",
    "run a graph or a file on arrays, in onnxruntime",
    "Run a graph or a file on arrays, in onnxruntime. Large arrays are shortened where they are printed; a file gets them "
    "whole.",
    (
        "unroll run lstm.onnx --feed X=images.npy -o outputs.npz",
        "unroll run lstm.onnx --feeds inputs.npz",
        "unroll run examples/image_rows_lstm.py:image_rows --feed X=images.npy --fetch rnn/t7/basic_lstm_cell/f",
    ),
    _add,
    _run,
    (".npz", ".npy"),
)
