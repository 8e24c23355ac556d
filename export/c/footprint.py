"""What a program takes: bytes of constants and of context, and multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from unroll.export.c.program import Program
from unroll.export.c.statements import Contraction, Loop, Product, Statement, Window


class Footprint(NamedTuple):
    """What C takes; what its code takes is known once it is compiled.

    Attributes:
        constants: bytes of weights, which may lie in read-only memory.
        context: bytes that the caller hands in: scratch and states, of which what is used at different times lies in one place.
        scratch: how many bytes all of it would take in places of its own.
        multiply_adds: how many there are in products in one run, with those of columns that fill up blocks.
        loops: how many loops over steps there are.
    """

    constants: int
    context: int
    scratch: int
    multiply_adds: int
    loops: int

    def __str__(self) -> str:
        apart = f" ({self.scratch} were nothing shared)" if self.scratch > self.context else ""
        return (
            f"{self.constants} bytes of constants, {self.context} bytes of context{apart}, "
            f"{self.multiply_adds} multiply-adds a run, {self.loops} loop{'s' * (self.loops != 1)} over steps"
        )


def footprint_of(program: Program) -> Footprint:
    """Return what a program takes."""
    constants, scratch = (
        sum(buffer.size * buffer.dtype.itemsize for buffer in program.buffers if buffer.kind == kind)
        for kind in ("weight", "scratch")
    )
    return Footprint(constants, program.context_bytes, scratch, _multiply_adds(program.body), _loops(program.body))


def _multiply_adds(statements: Sequence[Statement]) -> int:
    total = 0
    for item in statements:
        if isinstance(item, Loop):
            total += item.var.steps * _multiply_adds(item.body)
        elif isinstance(item, Product):
            columns = sum(piece.shape[-1] for term in item.terms for piece in term.pieces)
            total += prod(item.out.shape) * columns
        elif isinstance(item, Contraction):
            total += prod(item.shape)
        elif isinstance(item, Window):
            total += prod(item.out.shape) * prod(item.weights.shape[1:])
    return total


def _loops(statements: Sequence[Statement]) -> int:
    return sum(1 + _loops(item.body) for item in statements if isinstance(item, Loop))
