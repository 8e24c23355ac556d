"""What is done with a mutated file: everything a user can do with a file of its kind, through the API and through the commands.

Right is a result or an `UnrollError`. Anything else is a finding: its kind, what raised it, and where.
"""

from __future__ import annotations

import contextlib
import io
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from exporter_files import CASES
from fuzz_corpus import Whole, network
from fuzz_mutations import mutated
from helpers import GOLDEN, REPOSITORY, golden_arrays

import unroll
from unroll.cli import main
from unroll.dimensions import substitute
from unroll.export import tuning
from unroll.feeds import InputSpec

#: Inputs larger than this many elements are not fed: a model may say that it wants 2**62 of them.
_MOST_FED = 100_000
_SHOWN = 200
#: Commands that end with 1 where what they compare differs.
_COMPARING = ("diff", "equivalent", "gate-order")


class Finding(NamedTuple):
    """What came of one use of a file, where that was neither a result nor an error of ours."""

    step: str
    what: str
    where: str
    trace: str

    @property
    def key(self) -> str:
        """What findings are told apart by."""
        return f"{self.what.partition(':')[0]} at {self.where}"


class Uses:
    """One mutated file and what was done with it.

    Args:
        journal: is told the kind and each use before it begins, for a process that ends in it.

    Attributes:
        outcomes: a word for each use: ``ok``, or the class of the error of ours.
        findings: what else came of it.
        kind: the kind of the file, once it is drawn.
    """

    def __init__(self, journal: Callable[[str, str], None]) -> None:
        self.kind = ""
        self.outcomes: list[str] = []
        self.findings: list[Finding] = []
        self._journal = journal

    def attempt(self, step: str, use: Callable[[], Any]) -> Any:
        """Return what a use returns; None where it raises."""
        self._journal(self.kind, step)
        try:
            found = use()
        except unroll.UnrollError as error:
            self.outcomes.append(type(error).__name__)
            return None
        except BaseException as error:  # whatever it is, it is a finding
            self.findings.append(_finding(step, error))
            return None
        self.outcomes.append("ok")
        return found

    def command(self, *arguments: str) -> None:
        """Run a command in this process; right is the status 0 or 2, one line where it is 2, and 1 of what compares.

        Numbers that are not finite, for which onnxruntime's recurrent operators hide NaN, are a difference too.
        """

        def run() -> str:
            said, complained = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
                status = main(arguments)
            lines = complained.getvalue().strip().splitlines()
            infinite = any("by inf" in line and "nothing was written" in line for line in lines)
            right = (0, 1, 2) if arguments[0] in _COMPARING or infinite else (0, 2)
            if status not in right or (status == 2 and not any(line.startswith("unroll ") for line in lines)):
                raise AssertionError(f"unroll {arguments[0]} ends with {status}: {lines[:3]}")
            return "ok" if status < 2 else "refused"

        if self.attempt(f"unroll {arguments[0]}", run) == "refused":
            self.outcomes[-1] = "refused"


def _finding(step: str, error: BaseException) -> Finding:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _place(frame.filename)]
    place = ours[-1] if ours else frames[-1]
    where = f"{_place(place.filename) or place.filename}:{place.lineno} {place.name}"
    what = f"{type(error).__name__}: {str(error)[:_SHOWN]}"
    return Finding(step, what, where, "".join(traceback.format_exception(error)[-12:])[-4000:])


def _place(file: str) -> str:
    """Return where a file lies in the package, or nothing where it is somebody else's."""
    folders = ("unroll", "export", "viz")
    path = Path(file)
    inside = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else Path("elsewhere")
    return str(inside) if inside.parts[0] in folders else ""


def use(seed: int, files: Mapping[str, list[Whole]], kinds: Mapping[str, int], folder: Path, uses: Uses) -> None:
    """Make the mutated file of a seed, and use it.

    Args:
        seed: what everything is drawn from.
        files: the whole files of each kind.
        kinds: how often each kind is drawn, in proportion.
        folder: where it is written; emptied by the caller.
        uses: what happens is noted there.
    """
    draw = Random(seed)
    uses.kind = kind = draw.choices(list(kinds), list(kinds.values()))[0]
    whole, other = draw.choice(files[kind]), draw.choice(files[kind])
    path = folder / whole.name
    data, beside = whole.data, whole.beside
    if beside and draw.random() < 0.3:
        beside = mutated("npy", beside, other.beside, draw)
    else:
        data = mutated(kind, data, other.data, draw)
    path.write_bytes(data)
    if beside:
        (folder / "weights.bin").write_bytes(beside)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        _USES[kind](path, draw, uses)


# -- models -----------------------------------------------------------------------------------------------------------


def _model(path: Path, draw: Random, uses: Uses) -> None:
    if draw.random() < 0.2:
        _model_commands(path, draw, uses)
        return
    graph = uses.attempt("from_onnx", lambda: unroll.from_onnx(path))
    if graph is not None:
        for step in draw.sample(sorted(_GRAPH), 4):
            uses.attempt(step, lambda step=step: _GRAPH[step](graph, draw))
    if graph is None or draw.random() < 0.5:
        session = uses.attempt("Session", lambda: unroll.Session(path))
        if session is not None:
            uses.attempt("Session.run", lambda: session.run(feeds(session.inputs, draw)))
    if draw.random() < 0.2:
        uses.attempt("verify(path)", lambda: unroll.verify(path))


_GRAPH: dict[str, Callable[[unroll.Graph, Random], object]] = {
    "summary": lambda graph, _: graph.summary(),
    "draw": lambda graph, draw: unroll.draw(graph, format="dot", level=draw.choice(("cell", "op"))),
    "optimize": lambda graph, _: unroll.optimize(graph),
    "reroll": lambda graph, _: unroll.reroll(graph),
    "graph.run": lambda graph, draw: graph.run(feeds(graph.input_specs, draw)),
    "to_onnx": lambda graph, draw: unroll.to_onnx(
        graph, form=draw.choice(("unrolled", "functions", "scan", "rerolled"))
    ),
    "Session(graph)": lambda graph, draw: unroll.Session(graph).run(feeds(graph.input_specs, draw)),
    "verify": lambda graph, _: unroll.verify(graph),
    "compile": lambda graph, _: _compiled(graph, False),
    "equivalent": lambda graph, _: unroll.equivalent(graph, graph),
    "stream": lambda graph, draw: graph.stream().run(feeds(graph.input_specs, draw, set(graph.states))),
}


def _model_commands(path: Path, draw: Random, uses: Uses) -> None:
    output = str(path.with_name("out"))
    choices = (
        ("summary", str(path), "--full"),
        ("draw", str(path), "-o", f"{output}.dot", "--level", draw.choice(("cell", "op"))),
        ("draw", str(path), "-o", f"{output}.svg"),
        (
            "export",
            str(path),
            "-o",
            f"{output}.onnx",
            "--form",
            draw.choice(("unrolled", "functions", "scan", "rerolled")),
        ),
        ("reroll", str(path), "-o", f"{output}.onnx"),
        ("run", str(path)),
        ("verify", str(path)),
    )
    uses.command(*draw.choice(choices))


def _all_commands(path: Path, draw: Random, uses: Uses) -> None:
    """Two of all the commands that take a file; every one is drawn as often as the others."""
    _quick_compile()
    output = str(path.with_name("out"))
    fed = [str(path.with_name(f"{name}.npz")) for name in ("feeds", "expected")]
    _write_runs(path.stem, *fed)
    choices = {
        "summary": ("--full",),
        "draw": ("-o", f"{output}.svg", "--level", draw.choice(("cell", "op"))),
        "view": ("-o", f"{output}.html", "--no-browser"),
        "explain": draw.choice(((), ("--feeds", fed[0]))),
        "kernels": ("-o", f"{output}.svg", "--values"),
        "values": ("-o", f"{output}.svg", "--feeds", fed[0]),
        "export": ("-o", f"{output}.onnx", "--form", draw.choice(("unrolled", "functions", "scan", "rerolled"))),
        "run": ("--feeds", fed[0]),
        "gate-order": ("--feeds", fed[0], "--expected", fed[1]),
        "verify": (),
        "optimize": ("-o", f"{output}.onnx"),
        "reroll": ("-o", f"{output}.onnx"),
        "unroll": ("-o", f"{output}.onnx", *draw.choice(((), ("--dim", "time=4"), ("--most-nodes", "50")))),
        "compile": ("--no-cache",),
        "diff": (str(GOLDEN / "exporters" / path.name),),
        "equivalent": (str(GOLDEN / "exporters" / path.name),),
    }
    for name in draw.sample(sorted(choices), 2):
        uses.command(name, str(path), *choices[name])


def _write_runs(case: str, feeds: str, expected: str) -> None:
    """Write what the whole file was fed, and what its framework computed."""
    arrays = golden_arrays(f"exporters/{'keras' if case.startswith('keras') else 'torch'}.npz")
    listed = next((item for item in CASES if item["id"] == case), None)
    if listed is None:  # a file that no runtime takes: the commands are told of feeds that are not there
        return
    size = "/".join(map(str, listed["sizes"][0]))
    for path, names, what in ((feeds, listed["inputs"], "in"), (expected, listed["outputs"], "out")):
        np.savez(path, **{name: arrays[f"{case}/{size}/{what}{place}"] for place, name in enumerate(names)})


def feeds(specs: list[InputSpec], draw: Random, without: set[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """Return small feeds, every symbol taken for a size from 0 to 3; none where an input is too large to be fed."""
    generator = np.random.default_rng(draw.randrange(2**32))
    symbols = {name for spec in specs for dim in spec.shape if not isinstance(dim, int) for name in dim.symbols}
    sizes = {name: draw.choice((0, 1, 2, 3)) for name in sorted(symbols)}
    found: dict[str, npt.NDArray[Any]] = {}
    for spec in specs:
        dims = [substitute(dim, sizes) for dim in spec.shape]
        shape = [dim if isinstance(dim, int) and dim >= 0 else 1 for dim in dims]
        if spec.name not in (without or ()) and np.prod([float(size) for size in shape]) <= _MOST_FED:
            values = generator.standard_normal(shape) if spec.dtype.kind == "f" else generator.integers(0, 3, shape)
            found[spec.name] = np.asarray(values).astype(spec.dtype)
    return found


# -- arrays, caches, programs -----------------------------------------------------------------------------------------


def _parameters(path: Path, draw: Random, uses: Uses) -> None:
    graph = network()
    if draw.random() < 0.7:
        uses.attempt("load_parameters", lambda: graph.load_parameters(path))
        return
    if path.suffix == ".npz":
        uses.command("run", str(_plain_model(path)), "--feeds", str(path))


def _feed(path: Path, draw: Random, uses: Uses) -> None:
    command = draw.choice(("run", "verify", "draw"))
    output = ("-o", str(path.with_name("out.dot"))) if command == "draw" else ()
    fed = [item for name in ("x0", "x1", "x2") for item in ("--feed", f"{name}={path}")]
    uses.command(command, str(_plain_model(path)), *output, *fed)


def _plain_model(path: Path) -> Path:
    return unroll.save(network(), path.with_name("plain.onnx"))


def _quick_compile() -> None:
    tuning._BUDGET, tuning._BLOCK = 0.0, 0.0  # how long is measured matters to nobody here


def _compiled(graph: unroll.Graph, cache: Path | bool) -> unroll.Session:
    _quick_compile()
    return unroll.compile(graph, batch=1, cache=cache)


def _cached(path: Path, draw: Random, uses: Uses) -> None:
    graph = network(steps=1)
    fed = feeds(graph.input_specs, draw)

    def compiled() -> None:
        session = _compiled(graph, path.parent)
        str(session.choice)
        for name, array in graph.run(fed).items():
            np.testing.assert_allclose(session.run(fed)[name], array, atol=1e-5)

    uses.attempt("compile", compiled)


def _program(path: Path, draw: Random, uses: Uses) -> None:
    output, target = str(path.with_name("out")), f"{path}:g"
    choices = (
        ("summary", target),
        ("draw", target, "-o", f"{output}.dot"),
        ("export", target, "-o", f"{output}.onnx"),
        ("verify", target),
        ("run", target),
    )
    uses.command(*draw.choice(choices))


_USES: dict[str, Callable[[Path, Random, Uses], None]] = {
    "foreign": _model,
    "exporters": _all_commands,
    "own": _model,
    "external": _model,
    "npy": _feed,
    "npz": _parameters,
    "safetensors": _parameters,
    "cache": _cached,
    "program": _program,
}
