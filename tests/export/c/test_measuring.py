"""`report(compiler)`: bytes of code and stack, as a compiler makes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from c_running import needs_compiler
from helpers import refused

import unroll
from unroll.export.c.source import CSource


def source() -> CSource:
    x = unroll.placeholder([1, 4, 3], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(16), x)
    return unroll.to_c(unroll.Graph([x], {"y": outputs}))


def script(folder: Path, text: str) -> str:
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@needs_compiler
def test_code_and_constants_are_what_binutils_counts(tmp_path: Path) -> None:
    flags = ["-Os", "-fno-asynchronous-unwind-tables"]  # whose tables size counts as text
    source().save(str(tmp_path / "model.c"))
    subprocess.run(["gcc", "-std=c99", *flags, "-c", "model.c"], cwd=tmp_path, check=True)
    said = subprocess.run(["size", "model.o"], cwd=tmp_path, check=True, capture_output=True, text=True)
    text = int(said.stdout.split()[6])
    report = source().report(" ".join(["gcc", *flags]))
    assert report.code is not None and report.code + report.constants == text
    assert str(report).endswith("functions of libraries apart (gcc -Os -fno-asynchronous-unwind-tables)")


@needs_compiler
def test_stack_is_at_least_what_the_function_that_runs_takes(tmp_path: Path) -> None:
    source().save(str(tmp_path / "model.c"))
    subprocess.run(["gcc", "-std=c99", "-O0", "-fstack-usage", "-c", "model.c"], cwd=tmp_path, check=True)
    frames = [line.split("\t")[:2] for line in (tmp_path / "model.su").read_text().splitlines()]
    sizes = {place.split(":")[-1]: int(size) for place, size in frames}
    assert {"model_run", "sigmoid_f32"} < set(sizes)  # -O0 leaves functions their frames
    assert source().report("gcc -O0").stack == sum(sizes.values())


def test_without_a_compiler_the_report_says_how_to_ask_one() -> None:
    report = source().report()
    assert (report.code, report.stack, report.compiler) == (None, None, None)
    assert str(report).endswith("report('gcc -Os') asks one")


@needs_compiler
def test_a_compiler_that_counts_no_stack_still_says_its_code(tmp_path: Path) -> None:
    compiler = script(tmp_path, 'for a; do test "$a" != -fstack-usage || exit 1; done; exec gcc "$@"')
    report = source().report(compiler)
    assert report.code and report.stack is None and "a stack of unknown size" in str(report)


def test_a_compiler_that_is_none_is_refused(tmp_path: Path) -> None:
    refused(lambda: source().report("nowhere-gcc -O2"), NotImplementedError, "'nowhere-gcc'", "install")
    refused(lambda: source().report(3), TypeError, "compiler 3", "gcc -Os")  # type: ignore[arg-type]
    refused(lambda: source().report(script(tmp_path, "echo broken; exit 1")), ValueError, "cannot compile", "broken")
    refused(lambda: source().report(script(tmp_path, "exit 0")), ValueError, "it made no file")
    refused(lambda: source().report("gcc 'unclosed"), ValueError, "unclosed")
