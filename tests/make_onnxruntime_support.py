"""Writes export/onnxruntime_support.json: for which dtypes the installed runners lack or miscompute an operator.

Run ``python tests/make_onnxruntime_support.py Sin`` after an operator has come or changed, and without names, which takes
a minute, for versions of the runners that the table has no entry for; the entries of other versions stay. Each program
of operator_cases.py, one node on tame values, is exported at every opset that `to_onnx` writes and the runner loads, run,
and compared with NumPy. An (operator, dtype) pair is unsupported where one program fails at one opset: the table knows
neither opsets nor forms, and a model that is let through must run. (Seen: Softplus on float64 runs at opset 18 alone,
where onnxruntime puts ONNX's decomposition of it in the place of the kernel it lacks.)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
from helpers import Array, run_reference
from operator_cases import CASES, DTYPES, cases_of

import unroll
from unroll.export.lowering import DEFAULT_OPSET, LATEST_OPSET
from unroll.export.support import deciding_dtype
from unroll.ops import OPERATORS

TABLE = Path(__file__).parent.parent / "export" / "onnxruntime_support.json"
OPSETS = tuple(range(DEFAULT_OPSET, LATEST_OPSET + 1))
#: Agreement with NumPy: ``|a - b| <= tolerance * max(1, |b|)``.
TOLERANCES = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}

Runner = Callable[[onnx.ModelProto, Mapping[str, Array]], list[Array]]
#: Runner to version to ``opsets``, those that were tried, and ``lacks``: operator to dtypes.
Table = dict[str, dict[str, dict[str, Any]]]


class Program(NamedTuple):
    """A graph of one node, and arrays to feed it."""

    op: str
    dtype: str  #: by which the kernel is chosen
    case: str
    graph: unroll.Graph
    feeds: dict[str, Array]


def programs(op: str) -> Iterator[Program]:
    """Every program of one operator."""
    if op not in CASES:
        raise SystemExit(f"{op} has no row in CASES of tests/operator_cases.py, and so no program to try")
    for first in DTYPES[op]:
        for case in cases_of(op, first):
            inputs = [unroll.placeholder(a.shape, f"x{place}", a.dtype) for place, a in enumerate(case.arrays)]
            outputs = case.call(*inputs)
            graph = unroll.Graph(inputs, list(outputs) if isinstance(outputs, tuple) else [outputs])
            dtype = str(deciding_dtype(graph.nodes[0]))
            yield Program(
                op, dtype, case.id, graph, {item.name: a for item, a in zip(inputs, case.arrays, strict=True)}
            )


def run_onnxruntime(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> list[Array]:
    """Run a model in onnxruntime on the CPU."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, dict(feeds))]


RUNNERS: dict[str, Runner] = {"onnxruntime": run_onnxruntime, "reference": run_reference}
VERSIONS = {"onnxruntime": ort.__version__, "reference": onnx.__version__}


def problem(runner: Runner, program: Program, opset: int) -> str:
    """What is wrong with a program in a runner, or nothing."""
    model = unroll.to_onnx(program.graph, opset=opset, runtime=None)
    try:
        found = runner(model, program.feeds)
    except Exception as error:  # the runners' errors share no base class
        return f"{type(error).__name__}: {error}"
    return "".join(map(difference, found, program.graph.run(program.feeds).values()))


def difference(found: Array, wanted: Array) -> str:
    """How an array differs from NumPy's, or nothing."""
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        return f"{found.dtype}{found.shape}, NumPy has {wanted.dtype}{wanted.shape}"
    limit = TOLERANCES.get(str(wanted.dtype), 0.0) * np.maximum(1, np.abs(wanted.astype(float)))
    agrees = np.all(np.abs(found.astype(float) - wanted.astype(float)) <= limit)
    return "" if agrees else f"{found.tolist()}, NumPy has {wanted.tolist()}"


def dtypes_of(op: str) -> list[str]:
    """The dtypes among which a kernel of an operator is chosen."""
    signature = OPERATORS["", op].signature
    open_types = [dtypes for dtypes in signature.types.values() if len(dtypes) > 1]
    return list(map(str, open_types[0])) if open_types else list(map(str, signature.types[signature.outputs[0]]))


@cache
def opsets_of(runner: str) -> list[int]:
    """The opsets that a runner loads at all: Identity runs in each."""
    program = next(program for program in programs("Identity") if program.dtype == "float32")
    return [opset for opset in OPSETS if not problem(RUNNERS[runner], program, opset)]


def make_table(table: Table, only: Collection[str] = ()) -> Table:
    """Try every operator in the installed versions, or `only` some, and return the table with what was found."""
    names = sorted(name for _, name in OPERATORS)
    if only:
        _check_names(only, names, table)
    failing = {op: _failing(op) for op in sorted(only) or names}
    found: Table = {}
    for runner, version in VERSIONS.items():
        lacks = dict(table[runner][version]["lacks"]) if only else {}
        lacks |= {op: sorted(dtypes[runner]) for op, dtypes in failing.items()}
        entry = {"opsets": opsets_of(runner), "lacks": {op: lacks[op] for op in sorted(lacks) if lacks[op]}}
        entries = table.get(runner, {}) | {version: entry}
        found[runner] = {key: entries[key] for key in sorted(entries, key=_number, reverse=True)}
    return found


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split(".")[:3])


def _check_names(only: Collection[str], names: Collection[str], table: Table) -> None:
    """Refuse operators that there are not, and rows of an entry that there is not."""
    if strange := sorted(set(only) - set(names)):
        raise SystemExit(f"no operator is called {', '.join(strange)}; is it imported in unroll/ops/__init__.py?")
    for runner, version in VERSIONS.items():
        if version not in table[runner]:
            raise SystemExit(
                f"the table has {runner} {', '.join(table[runner])}, and {version} is installed; "
                "run this without names, which makes an entry for it"
            )


def _failing(op: str) -> dict[str, set[str]]:
    """By runner, the dtypes on which it lacks or miscomputes an operator."""
    failing: dict[str, set[str]] = {runner: set() for runner in RUNNERS}
    tried = set()
    for program in programs(op):
        tried.add(program.dtype)
        for runner, run in RUNNERS.items():
            if program.dtype in failing[runner]:
                continue
            if found := next(filter(None, (problem(run, program, opset) for opset in opsets_of(runner))), ""):
                failing[runner].add(program.dtype)
                print(f"{runner}: {op} {program.dtype} ({program.case}): {found.splitlines()[0]}")
    if tried != set(dtypes_of(op)):
        raise SystemExit(f"{op}: operator_cases.py has no program for {sorted(set(dtypes_of(op)) - tried)}")
    return failing


def as_text(table: Table) -> str:
    """The table as JSON with one operator a line."""
    runners = []
    for runner, entries in table.items():
        written = []
        for version, entry in entries.items():
            lacks = ",\n".join(f"        {json.dumps(op)}: {json.dumps(kinds)}" for op, kinds in entry["lacks"].items())
            opsets = json.dumps(entry["opsets"])
            written.append(
                f'    "{version}": {{\n      "opsets": {opsets},\n      "lacks": {{\n{lacks}\n      }}\n    }}'
            )
        runners.append(f'  "{runner}": {{\n' + ",\n".join(written) + "\n  }")
    return "{\n" + ",\n".join(runners) + "\n}\n"


if __name__ == "__main__":
    before = json.loads(TABLE.read_text(encoding="utf-8"))
    TABLE.write_text(as_text(make_table(before, sys.argv[1:])), encoding="utf-8")
    changed = json.loads(TABLE.read_text(encoding="utf-8")) != before
    print(
        f"wrote {TABLE.name}"
        if changed
        else f"{TABLE.name} stays as it is: it names what runners lack, and that is there"
    )
