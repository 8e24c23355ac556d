"""Products of every shape of tile, whatever number of lanes a processor has."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from c_running import SANITIZED, Case, needs_compiler, run_all, worst
from helpers import Array

import unroll
from unroll import ops
from unroll.export.c.tiles import panel_width, tiles

SHAPES = (("float32", 1), ("float32", 3), ("float32", 6), ("float64", 1), ("float64", 5))
COLUMNS = (1, 3, 12, 17, 40, 70)
LANES = {
    "one": ("-O0", "-DLANES_F32=1", "-DLANES_F64=1"),
    "the compiler's": SANITIZED,
    "this machine's": ("-O1", "-march=native"),
}


def products(dtype: str, rows: int) -> Case:
    """Products of one input by weights of many widths, with a bias and without, split into gates and whole."""
    random = np.random.default_rng(rows)
    outputs: dict[str, unroll.Tensor] = {}
    feeds: dict[str, Array] = {}
    inputs = []
    for inner in (1, 13):
        x = unroll.placeholder([rows, inner], f"x{inner}", dtype)
        inputs.append(x)
        feeds[x.name] = random.normal(size=(rows, inner)).astype(dtype)
        for columns in COLUMNS:
            product = x @ random.normal(size=(inner, columns)).astype(dtype)
            outputs[f"{inner} {columns}"] = product
            gates = x @ random.normal(size=(inner, 3 * columns)).astype(dtype) + random.normal(size=3 * columns)
            first, second, third = ops.split(gates, 3, -1)
            outputs[f"{inner} {columns} gates"] = first * second - third
    return Case(unroll.Graph(inputs, outputs), feeds)


@needs_compiler
@pytest.mark.parametrize("lanes", LANES)
def test_products_of_all_shapes_give_numpys_numbers(lanes: str, tmp_path: Path) -> None:
    cases = [products(*shape) for shape in SHAPES]
    found = run_all(cases, tmp_path, LANES[lanes])
    assert max(worst(case, arrays) for case, arrays in zip(cases, found, strict=True)) <= 1


@pytest.mark.skipif(shutil.which("clang") is None, reason="no clang is found; apt-get install clang")
def test_clang_gives_numpys_numbers_too(tmp_path: Path) -> None:
    cases = [products("float32", 5)]
    found = run_all(cases, tmp_path, ("-O2",), "clang")
    assert max(worst(case, arrays) for case, arrays in zip(cases, found, strict=True)) <= 1


def test_tiles_cover_every_row_and_column_once() -> None:
    for dtype in (np.dtype("float32"), np.dtype("float64")):
        for rows in range(1, 20):
            for width in (1, 2, 4, 8, 16, 24, panel_width(rows, dtype)):
                covered = [
                    row
                    for tile in tiles(rows, width, dtype)
                    for number in range(tile.repeats)
                    for row in range(tile.first + number * tile.rows, tile.first + (number + 1) * tile.rows)
                ]
                assert covered == list(range(rows))
                for tile in tiles(rows, width, dtype):
                    most = 32 // dtype.itemsize if tile.vector else 1
                    assert width % (tile.lanes * most) == 0
                    assert tile.rows * tile.lanes * tile.parts <= 12  # of 16 registers that x86 has
