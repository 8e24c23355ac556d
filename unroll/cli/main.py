"""``unroll``: summary, draw, export, run and verify a graph from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import unroll
from unroll.cli.bars import on_terminal
from unroll.cli.notices import warnings_in_words
from unroll.cli.output import complain, finish, give_up_output, show, standard_streams
from unroll.errors import ArgumentError, FileError, UnrollError

if TYPE_CHECKING:
    from unroll.dtypes import Array

_PROGRAM = "a Graph, or a function returning one, as path/to/program.py:name; or an .onnx file"
_FORMS = "unrolled, functions, scan, rerolled or auto"
_EPILOG = """\
examples:
  unroll demo
  unroll summary examples/image_rows_lstm.py:image_rows
  unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o rnn.svg --level op
  unroll export examples/image_rows_lstm.py:image_rows -o lstm.onnx --opset 17
  unroll reroll lstm.onnx -o fast.onnx
  unroll run lstm.onnx --feed X=images.npy -o outputs.npz
  unroll verify examples/image_rows_lstm.py:image_rows
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0, or 2 for anything the user can mend."""
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        with standard_streams(), on_terminal(), warnings_in_words(options.name):
            _check_target(options)
            command(options)
            finish()
    except UnrollError as error:
        return _refuse(options.name, str(error).removeprefix(f"{options.name}: "))
    except Warning as error:  # where the user or the program asked for warnings to be errors
        return _refuse(options.name, f"{type(error).__name__}: {error}")
    except MemoryError as error:
        return _refuse(options.name, f"there is too little memory: {error}")
    except KeyboardInterrupt:
        complain(f"unroll {options.name}: interrupted")
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has gone: not an error
        give_up_output()
    except Exception as error:
        from unroll.cli.programs import raised_later  # loaded already where a program was run

        message = raised_later(error)
        if message is None:  # a fault of unroll's own, which is shown in full
            raise
        return _refuse(options.name, message)
    return 0


def _refuse(command: str, message: str) -> int:
    try:
        finish()
    except (FileError, BrokenPipeError):
        give_up_output()
    complain(f"unroll {command}: {message}")
    return 2


def _check_target(options: argparse.Namespace) -> None:
    """Refuse to write onto a file that is read, under whatever name.

    Raises:
        ArgumentError: the output is the program, the model or a file of feeds.
    """
    if getattr(options, "force", True) or options.output is None:
        return
    program = getattr(options, "program", None) or options.model
    read = [program if program.endswith(".onnx") else program.rpartition(":")[0], getattr(options, "feeds", None)]
    read += [pair.partition("=")[2] for pair in getattr(options, "feed", [])]
    for path in read:
        if path and _same_file(path, options.output):
            raise ArgumentError(
                f"-o {options.output}: this is the file that is read, {path}; give another name, or --force to replace it"
            )


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them does not exist
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unroll",
        description="Trace recurrent cells over a fixed list of timesteps; draw the graph, export it to ONNX, run it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"unroll {unroll.__version__}")
    commands = parser.add_subparsers(dest="name", metavar="command", required=True)

    def add(name: str, command: Callable[[argparse.Namespace], None], help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
        added.set_defaults(command=command)
        return added

    demo = add("demo", _demo, "two textbook programs: their names, shapes, values, pictures and ONNX models")
    demo.add_argument(
        "-o", "--output", default="unroll-demo", metavar="FOLDER", help="where to write (default: %(default)s)"
    )

    summary = add("summary", _summary, "print inputs, parameters with their blocks, nodes and outputs")
    summary.add_argument("program", help=_PROGRAM)
    summary.add_argument("--full", action="store_true", help="list every node, however many")

    draw = add("draw", _draw, "draw the graph as SVG, PNG, PDF or DOT")
    draw.add_argument("program", help=_PROGRAM)
    draw.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the picture; its suffix chooses the format"
    )
    draw.add_argument(
        "--level", default="cell", help="cell: one box a cell and step; op: every operator (default: %(default)s)"
    )
    draw.add_argument("--full", action="store_true", help="draw every step, however many")
    _add_force(draw)
    _add_feeds(draw, "print values of small tensors in the picture, computed from these feeds")

    export = add(
        "export",
        _export,
        "write the graph as an ONNX model, flat unless another form is asked for; an .onnx file re-rolled once it is proven",
    )
    export.add_argument("program", help=_PROGRAM)
    export.add_argument("-o", "--output", required=True, metavar="FILE.onnx", help="the model")
    export.add_argument(
        "--opset", type=int, help="version of the ONNX operators (default: 13, which most runtimes read)"
    )
    export.add_argument("--form", default="unrolled", help=f"{_FORMS} (default: %(default)s)")
    export.add_argument("--ir-version", type=int, help="version of the file format (default: the oldest for the opset)")
    export.add_argument(
        "--any-runtime", action="store_true", help="allow operators for which onnxruntime has no kernel"
    )
    _add_force(export)
    _add_feeds(export, "what an .onnx file that is re-rolled is proven on (default: generated)", sizes=True)

    reroll = add("reroll", _reroll, "turn a flat ONNX file's repeated steps back into native operators, and prove it")
    reroll.add_argument("model", help="a flat .onnx file, whoever made it")
    reroll.add_argument(
        "-o", "--output", required=True, metavar="FILE.onnx", help="the model to write, once it is proven"
    )
    reroll.add_argument("--opset", type=int, help="version of the ONNX operators (default: the file's own, from 13 on)")
    reroll.add_argument("--tolerance", type=float, help="both agree where |a - b| <= tolerance * max(1, |b|)")
    reroll.add_argument("--seed", type=int, default=0, help="of the feeds both are run on (default: %(default)s)")
    _add_force(reroll)
    _add_feeds(reroll, "what both are run on (default: generated)", sizes=True)

    run = add("run", _run, "run a model or a graph on arrays")
    run.add_argument("program", metavar="model", help=_PROGRAM)
    _add_feeds(run, "feed the inputs")
    run.add_argument("--fetch", action="append", default=[], metavar="NAME", help="an output to compute (default: all)")
    run.add_argument("-o", "--output", metavar="FILE", help="write results to .npz or .npy (default: print them)")
    _add_force(run)

    verify = add(
        "verify",
        _verify,
        "check that NumPy, onnx's reference evaluator and onnxruntime agree on a graph, or on a file as it is",
    )
    verify.add_argument("program", help=_PROGRAM)
    _add_feeds(verify, "feed the inputs (default: generated)", sizes=True)
    verify.add_argument("--tolerance", type=float, help="agree where |a - b| <= tolerance * max(1, |b|)")
    verify.add_argument("--seed", type=int, default=0, help="of generated feeds (default: %(default)s)")
    verify.add_argument(
        "--nonfinite", action="store_true", help="feed NaN and infinities as well, and say where runners differ on them"
    )
    return parser


def _add_feeds(parser: argparse.ArgumentParser, help: str, *, sizes: bool = False) -> None:
    group = parser.add_argument_group("feeds", help)
    group.add_argument(
        "--feed", action="append", default=[], metavar="NAME=FILE.npy", help="one input; may be repeated"
    )
    group.add_argument("--feeds", metavar="FILE.npz", help="several inputs by name")
    if sizes:
        group.add_argument(
            "--dim",
            action="append",
            default=[],
            metavar="NAME=SIZE",
            help="the size of a symbol of the inputs, for feeds that are generated; may be repeated",
        )


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="write even onto a file that is read")


def _feeds(options: argparse.Namespace) -> dict[str, Array] | None:
    """Return the feeds given, or None where none were."""
    from unroll.cli.arrays import read_feeds  # loads NumPy, which --help needs not

    return read_feeds(options.feed, options.feeds) if options.feed or options.feeds else None


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the feeds and the sizes of symbols that were given."""
    from unroll.cli.arrays import read_dims  # loads NumPy, which --help needs not

    return {"feeds": _feeds(options), "dims": read_dims(options.dim)}


def _graph(options: argparse.Namespace) -> unroll.Graph:
    from unroll.cli.programs import load_graph  # loads NumPy, which --help needs not

    return load_graph(options.program)


def _demo(options: argparse.Namespace) -> None:
    from unroll.cli.demo import demo  # loads the examples, and all that they use

    demo(options.output)


def _summary(options: argparse.Namespace) -> None:
    show(_graph(options).summary(full=options.full))


def _draw(options: argparse.Namespace) -> None:
    unroll.draw(_graph(options), options.output, level=options.level, feeds=_feeds(options), full=options.full)
    show(f"wrote {options.output}")


def _export(options: argparse.Namespace) -> None:
    chosen = {"opset": options.opset, "ir_version": options.ir_version}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    given["runtime"] = None if options.any_runtime else "onnxruntime"
    if options.program.endswith(".onnx") and options.form not in ("unrolled", "functions"):
        from unroll.export.file_rerolling import export_file  # loads onnx and onnxruntime

        _, proof = export_file(options.program, options.output, form=options.form, **_given(options), **given)
        show(proof)
    elif options.feed or options.feeds or options.dim:
        raise ArgumentError(
            "--feed, --feeds and --dim say on what an .onnx file is proven that takes a form; leave them out"
        )
    else:
        given |= {} if options.form == "unrolled" else {"form": options.form}
        unroll.save(_graph(options), options.output, **given)
    show(f"wrote {options.output}")


def _reroll(options: argparse.Namespace) -> None:
    from unroll.export.file_rerolling import reroll_file  # loads onnx and onnxruntime

    chosen = {"opset": options.opset, "tolerance": options.tolerance, "seed": options.seed}
    found = reroll_file(options.model, options.output, **chosen, **_given(options))
    show(found)
    show(f"wrote {found.path}")


def _run(options: argparse.Namespace) -> None:
    from unroll.cli.arrays import write_arrays  # loads NumPy, which --help needs not

    is_program = ".py:" in options.program
    if not is_program and not options.program.endswith(".onnx"):
        raise ArgumentError(f"{options.program!r}: give {_PROGRAM}")
    session = unroll.Session(_fetched(_graph(options), options.fetch) if is_program else options.program)
    feeds = _feeds(options)
    if options.fetch:
        results = dict(zip(options.fetch, session.run(feeds or {}, options.fetch), strict=True))
    else:
        results = session.run(feeds or {})
    if options.output:
        write_arrays(results, options.output)
        show(f"wrote {options.output}: {', '.join(f'{name} {value.shape}' for name, value in results.items())}")
        return
    for name, value in results.items():
        show(f"{name} {value.shape} {value.dtype}\n{value}")


def _fetched(graph: unroll.Graph, names: Sequence[str]) -> unroll.Graph:
    """Return the graph with the tensors fetched as its outputs: inner ones can be fetched too."""
    return unroll.Graph(graph.inputs, {name: graph.tensor(name) for name in names}) if names else graph


def _verify(options: argparse.Namespace) -> None:
    subject = options.program if options.program.endswith(".onnx") else _graph(options)
    found = unroll.verify(
        subject, tolerance=options.tolerance, seed=options.seed, nonfinite=options.nonfinite, **_given(options)
    )
    show(found)


if __name__ == "__main__":
    sys.exit(main())
