"""Graphs as C, compiled and run: many in one executable, with what is fed and what comes out in files."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from helpers import Array

import unroll
from unroll.export.c.source import CSource

#: Sanitizers for addresses and undefined behaviour, which end the program at what they find.
SANITIZED = ("-O1", "-g0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None, reason="no gcc is found; install it (apt-get install gcc libc6-dev) to run the C"
)


class Case(NamedTuple):
    """A graph, and what it is fed: the sizes of the feeds are those of the C."""

    graph: unroll.Graph
    feeds: Mapping[str, Array]

    def source(self, name: str, **options: object) -> CSource:
        """Return the graph as C for the sizes that are fed."""
        dims = sizes_of(self.graph, self.feeds)
        return unroll.to_c(self.graph, name=name, dims=dims, **options)  # type: ignore[arg-type]


def sizes_of(graph: unroll.Graph, feeds: Mapping[str, Array]) -> dict[str, int]:
    """Return the size of each symbol that feeds have."""
    found: dict[str, int] = {}
    for tensor in graph.inputs:
        for dim, size in zip(tensor.shape, feeds[tensor.name].shape, strict=True):
            if not isinstance(dim, int) and dim.symbols == {str(dim)}:
                found[str(dim)] = size
    return found


def run_all(
    cases: Sequence[Case], folder: Path, flags: Sequence[str] = SANITIZED, compiler: str = "gcc", **options: object
) -> list[dict[str, Array]]:
    """Return the outputs of graphs, computed by one executable of their C."""
    sources = [case.source(f"case{number}", **options) for number, case in enumerate(cases)]
    main = ["#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>"]
    body = [
        "int main(int count, char **names) {",
        'FILE *in = fopen(names[1], "rb"), *out = fopen(names[2], "wb");',
        "(void)count;",
    ]
    files = []
    for source, case in zip(sources, cases, strict=True):
        source.save(str(folder / f"{source.name}.c"))
        files.append(f"{source.name}.c")
        main.append(f'#include "{source.name}.h"')
        body += _called(source, case)
    body.append("fclose(in); fclose(out); return 0; }")
    (folder / "main.c").write_text("\n".join([*main, *body, ""]))
    (folder / "in").write_bytes(b"".join(_fed(case) for case in cases))
    command = [compiler, *STRICT, *flags, "-o", "program", "main.c", *files, "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[:3000]
    assert not done.stderr, done.stderr[:3000]
    ran = subprocess.run(
        [str(folder / "program"), "in", "out"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert ran.returncode == 0, ran.stderr[:3000]
    data = (folder / "out").read_bytes()
    found = []
    for case in cases:
        arrays, data = _taken(case, data)
        found.append(arrays)
    return found


def _ports(case: Case) -> list[tuple[str, Array]]:
    return [(tensor.name, np.asarray(case.feeds[tensor.name], tensor.dtype)) for tensor in case.graph.inputs]


def _fed(case: Case) -> bytes:
    return b"".join(array.tobytes() for name, array in _ports(case) if name not in case.graph.states)


def _expected(case: Case) -> dict[str, Array]:
    kept, states = set(case.graph.states.values()), case.graph.states
    feeds = {name: np.zeros_like(array) if name in states else array for name, array in case.feeds.items()}
    return {name: array for name, array in case.graph.run(feeds).items() if name not in kept}


def _called(source: CSource, case: Case) -> list[str]:
    """Return C that reads what is fed, runs a graph and writes what comes out."""
    name = source.name
    inputs = [array.nbytes for port, array in _ports(case) if port not in case.graph.states]
    outputs = [array.nbytes for array in _expected(case).values()]
    lines = [f"{{ static {name}_context room, *context = &room;"]
    lines.append("memset(context, 0x7F, sizeof *context);")  # nothing may depend on what is there before
    addresses = []
    for number, size in enumerate(inputs):
        lines.append(
            f"void *x{number} = malloc({max(1, size)}); if (fread(x{number}, 1, {size}, in) != {size}) return 2;"
        )
        addresses.append(f"x{number}")
    for number, size in enumerate(outputs):
        lines.append(f"void *y{number} = malloc({max(1, size)});")
        addresses.append(f"y{number}")
    if case.graph.states:
        lines.append(f"{name}_init(context);")
    lines.append(f"{name}_{'step' if case.graph.states else 'run'}({', '.join(['context', *addresses])});")
    for number, size in enumerate(outputs):
        lines.append(f"fwrite(y{number}, 1, {size}, out); free(y{number});")
    lines += [f"free(x{number});" for number in range(len(inputs))]
    return [*lines, "}"]


def _taken(case: Case, data: bytes) -> tuple[dict[str, Array], bytes]:
    found = {}
    for name, like in _expected(case).items():
        found[name] = np.frombuffer(data[: like.nbytes], like.dtype).reshape(like.shape)
        data = data[like.nbytes :]
    return found, data


def worst(case: Case, found: Mapping[str, Array]) -> float:
    """Return how far C is from NumPy, as a share of what may be: above 1 is too far."""
    return share(found, _expected(case))


def golden_case(
    graph: unroll.Graph, feeds: Mapping[str, Array], expected: Sequence[Array]
) -> tuple[Case, dict[str, Array]]:
    """Return a golden case for C, whose states are fed, and what another framework gives for its outputs."""
    outputs = dict(zip(graph.output_names, graph.outputs, strict=True))
    return Case(unroll.Graph(list(graph.inputs), outputs), feeds), dict(zip(outputs, expected, strict=True))


def share(found: Mapping[str, Array], expected: Mapping[str, Array]) -> float:
    """Return how far outputs are from those expected, as a share of what may be: above 1 is too far."""
    return max((_share(found[name], array) for name, array in expected.items()), default=0.0)


def _share(seen: Array, expected: Array) -> float:
    if seen.dtype != expected.dtype or seen.shape != expected.shape:
        return float("inf")
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(seen, expected) else float("inf")
    allowed = 1e-5 if expected.dtype.itemsize == 4 else 1e-9
    with np.errstate(all="ignore"):
        near = np.abs(seen - expected) / (allowed * np.maximum(1, np.abs(expected)))
    near = np.where((seen == expected) | (np.isnan(seen) & np.isnan(expected)), 0, near)
    return float(np.max(np.nan_to_num(near, nan=np.inf), initial=0))
