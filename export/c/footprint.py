"""What a program takes: bytes of constants, context, code and stack, and multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from unroll.export.c.program import Program
from unroll.export.c.statements import Contraction, Loop, Product, Statement, Window


class Footprint(NamedTuple):
    """What C takes.

    Attributes:
        constants: bytes of weights, which may lie in read-only memory.
        context: bytes that the caller hands in: scratch and states, of which what is used at different times lies in one place.
        scratch: how many bytes all of it would take in places of its own.
        multiply_adds: how many there are in products in one run, with those of columns that fill up blocks.
        multiply_adds_a_step: how many of them come to a step of the longest loop over steps; all where there is no loop.
        loops: how many loops over steps there are.
        code: bytes that a compiler's code takes, and constants that the compiler adds; None where none was asked.
        stack: bytes of stack that no chain of calls exceeds, functions of libraries apart; None where no compiler said it.
        compiler: the compiler that was asked.
        lost: with weights in fewer bits, the worst ``|a - b| / max(1, |b|)`` of the outputs against the graph, in NumPy on
            random feeds; None where nothing is lost but rounding.
    """

    constants: int
    context: int
    scratch: int
    multiply_adds: int
    multiply_adds_a_step: int
    loops: int
    code: int | None = None
    stack: int | None = None
    compiler: str | None = None
    lost: float | None = None

    def __str__(self) -> str:
        apart = f" ({self.scratch} were nothing shared)" if self.scratch > self.context else ""
        steps = f", {self.multiply_adds_a_step} a step" if self.loops else ""
        lost = "" if self.lost is None else f"\n{self.lost:.1e} of max(1, |value|) lost on random feeds"
        return (
            f"{self.constants} bytes of constants, {self.context} bytes of context{apart}, "
            f"{self.multiply_adds} multiply-adds a run{steps}, {self.loops} loop{'s' * (self.loops != 1)} over steps\n"
            f"{self._compiled()}{lost}"
        )

    def _compiled(self) -> str:
        """Say what a compiler made of it."""
        if self.compiler is None:
            return "code and stack depend on the compiler: report('gcc -Os') asks one"
        code = "code of unknown size" if self.code is None else f"{self.code} bytes of code"
        stack = "a stack of unknown size" if self.stack is None else f"at most {self.stack} bytes of stack"
        return f"{code}, {stack}, functions of libraries apart ({self.compiler})"


def footprint_of(program: Program) -> Footprint:
    """Return what a program takes."""
    constants, scratch = (
        sum(buffer.bytes for buffer in program.buffers if buffer.kind == kind) for kind in ("weight", "scratch")
    )
    products, steps = _multiply_adds(program.body), _longest(program.body)
    return Footprint(constants, program.context_bytes, scratch, products, -(-products // steps), _loops(program.body))


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


def _longest(statements: Sequence[Statement]) -> int:
    """Return how many steps the longest loop takes, all the runs of one that is inside another."""
    return max([1, *(item.var.steps * _longest(item.body) for item in statements if isinstance(item, Loop))])
