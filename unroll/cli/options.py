"""Flags that several commands have, each with one meaning, and what was given by them."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import unroll
from unroll.cli.arrays import read_dims, read_feeds
from unroll.cli.output import help_width, show
from unroll.cli.targets import is_model
from unroll.cli.words import in_flags
from unroll.errors import ArgumentError

if TYPE_CHECKING:
    from onnx import ModelProto

    from unroll.dtypes import Array
    from unroll.graph import Graph

PROGRAM = "a Graph, model or function returning one, as path/to/program.py:name; or an .onnx, .keras or .h5 file"
FORMS = "unrolled, functions, scan, rerolled or auto"


def add_program(parser: argparse.ArgumentParser, name: str = "program", metavar: str = "PROGRAM") -> None:
    """Add what a command reads."""
    parser.add_argument(name, metavar=metavar, help=PROGRAM)


def add_output(parser: argparse.ArgumentParser, metavar: str, help: str, *, required: bool = True) -> None:
    """Add where a command writes."""
    parser.add_argument("-o", "--output", required=required, metavar=metavar, help=help)
    parser.add_argument("--force", action="store_true", help="write even onto a file that is read")


def add_feeds(parser: argparse.ArgumentParser, help: str) -> None:
    """Add the arrays that a command is given."""
    group = parser.add_argument_group("feeds", textwrap.fill(help, help_width() - 2))
    group.add_argument(
        "--feed",
        "--feeds",
        dest="feed",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="NAME=FILE.npy: one input; FILE.npz: several by name; FILE.npy: the only input; may be repeated",
    )


def add_sizes(parser: argparse.ArgumentParser, help: str = "the time of a model that leaves it open") -> None:
    """Add sizes by name."""
    parser.add_argument(
        "--dim", action="append", default=[], metavar="NAME=SIZE", help=f"a size by its name: {help}; may be repeated"
    )


def add_values(parser: argparse.ArgumentParser) -> None:
    """Add inputs that are fixed."""
    parser.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="an input by its name that is fixed, such as sr=16000, or NAME=FILE.npy; may be repeated",
    )


def add_proof(parser: argparse.ArgumentParser) -> None:
    """Add what a file that is rewritten is proven on."""
    add_feeds(parser, "what the old and the new file are both run on (default: generated)")
    add_sizes(
        parser, "a symbol of the inputs, for feeds that are generated, or the time of a model that leaves it open"
    )


def add_opset(parser: argparse.ArgumentParser, default: str = "13, which most runtimes read") -> None:
    """Add the version of what is written."""
    parser.add_argument("--opset", type=int, metavar="N", help=f"version of the ONNX operators (default: {default})")


def add_tolerance(parser: argparse.ArgumentParser) -> None:
    """Add how far numbers may be apart, and the seed of what is generated."""
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="X",
        help="they agree where |a - b| <= X * max(1, |b|) (default: 1e-05 for float32)",
    )
    add_seed(parser)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the seed of what is generated."""
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of generated feeds (default: %(default)s)")


# -- what was given ----------------------------------------------------------------------------------------------------


def feeds_of(options: argparse.Namespace, inputs: Callable[[], Sequence[str]] | None = None) -> dict[str, Array] | None:
    """Return the feeds given, or None where none were.

    Args:
        options: what was given.
        inputs: gives the names of the inputs, for an array without a name; by default the file is read for them.
    """
    if not options.feed:
        return None
    return read_feeds(options.feed, inputs or (lambda: names_of(graph_of(options, sizes_of_feeds=True)[0])))


def names_of(graph: Graph) -> list[str]:
    """Return the names of the inputs of a graph."""
    return [item.name for item in graph.inputs]


def graph_of(options: argparse.Namespace, *, sizes_of_feeds: bool = False) -> tuple[Graph, dict[str, int] | None]:
    """Return the graph of a program or a file, and the sizes given that it did not take.

    Raises:
        ArgumentError: it did not take a size, and no feeds are generated for which `sizes_of_feeds`.
    """
    graphs, dims = graphs_of(options, ["program"])
    if dims and not sizes_of_feeds:
        names = ", ".join(dims)
        raise ArgumentError(
            f"--dim {names}: sizes are for a model that leaves its time open (--dim time=28), or for feeds that are "
            "generated; leave it out"
        )
    return graphs[0], dims


def graphs_of(options: argparse.Namespace, names: list[str]) -> tuple[list[Graph], dict[str, int] | None]:
    """Return the graphs of several programs or files, and the sizes given that none of them took."""
    from unroll.cli.programs import load_graph  # loads every operator

    dims = read_dims(options.dim) or {}
    taken: set[str] = set()
    graphs = [load_graph(getattr(options, name), dims, taken) for name in names]
    return graphs, {name: size for name, size in dims.items() if name not in taken} or None


def is_file(options: argparse.Namespace) -> bool:
    """Say whether a model file is read, and not a program."""
    return is_model(options.program)


# -- writing -----------------------------------------------------------------------------------------------------------


def model_of(
    options: argparse.Namespace,
) -> tuple[ModelProto | str, dict[str, Array] | None, dict[str, int] | None]:
    """Return the file to rewrite, or the model that a program is written as, with the feeds and sizes given for it."""
    if is_file(options):
        return options.program, feeds_of(options), read_dims(options.dim)
    graph, dims = graph_of(options, sizes_of_feeds=True)
    return unroll.to_onnx(graph, **given(opset=options.opset)), feeds_of(options, lambda: names_of(graph)), dims


def write_model(
    options: argparse.Namespace,
    make: Callable[[Graph, dict[str, int] | None], ModelProto],
    *,
    sizes_of_feeds: bool = False,
) -> str:
    """Write the model that `make` makes of a graph and the sizes given, where an output was asked for; that of a file only
    once it is proven on the file itself.

    Args:
        options: what was given.
        make: makes the model.
        sizes_of_feeds: whether it generates feeds for a program, too, and so takes sizes.

    Returns:
        What is to be said of it, in lines.

    Raises:
        ArgumentError: feeds are given for a program, or sizes that nothing takes.
    """
    if is_file(options) and options.output:
        from unroll.export.file_rerolling import rewrite_file  # loads onnx and onnxruntime

        dims = read_dims(options.dim)
        path, proof = rewrite_file(
            options.program, options.output, lambda graph: make(graph, dims), feeds=feeds_of(options), dims=dims
        )
        return f"{proof}\nwrote {path}"
    refuse_feeds(options)
    model = make(*graph_of(options, sizes_of_feeds=sizes_of_feeds or is_file(options)))
    if not options.output:
        return ""
    return f"wrote {unroll.save(model, options.output)}"


def refuse_feeds(options: argparse.Namespace) -> None:
    """Refuse feeds, where no file is written of another.

    Raises:
        ArgumentError: feeds are given.
    """
    if options.feed:
        raise ArgumentError(
            "--feed: feeds are what an .onnx file and the one written of it (-o FILE.onnx) are both run on; leave them out"
        )


def say(options: argparse.Namespace, said: object) -> None:
    """Print a report, in the words of the command line."""
    show(in_flags(str(said), options.flags))


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
