"""Equations written as text, as LaTeX and as HTML."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from unroll.dtypes import Array
from unroll.viz.dot_text import MINUS, TIMES, visible
from unroll.viz.explaining.terms import Call, Columns, Infix, Joined, Name, Number, Symbol, Term, needs_brackets
from unroll.viz.values import number

#: How many numbers of a constant are written.
MOST_NUMBERS = 8
#: A name is cut in the middle where it is longer.
_LONGEST = 60


class Writer(ABC):
    """Writes terms in one language."""

    #: What stands for each sign.
    signs: ClassVar[dict[str, str]]

    def term(self, term: Term) -> str:
        """Return a term as it is written."""
        if isinstance(term, Name):
            return self.transposed(self.symbol(term.symbol)) if term.turned else self.symbol(term.symbol)
        if isinstance(term, Columns):
            return self.cut(self.term(term.name), term.start, term.stop)
        if isinstance(term, Number):
            return self.number(constant_text(term.value))
        if isinstance(term, Infix):
            left, right = (
                self.bracketed(self.term(part))
                if needs_brackets(part, term, place) or (place and _is_negative(part))
                else self.term(part)
                for place, part in enumerate(term.inner)
            )
            return f"{left}{self.signs[term.sign]}{right}"
        inner = ", ".join(self.term(part) for part in term.parts)
        if isinstance(term, Joined):
            return f"[{inner}]"
        settings = map(self.setting, term.settings) if isinstance(term, Call) else ()
        function = term.function if isinstance(term, Call) else ""
        return self.call(function, ", ".join(filter(None, [inner, *settings])))

    def bracketed(self, text: str) -> str:
        """Return text in brackets."""
        return f"({text})"

    @abstractmethod
    def symbol(self, symbol: Symbol) -> str:
        """Return a name."""

    @abstractmethod
    def call(self, function: str, inside: str) -> str:
        """Return a function of what stands in its brackets."""

    @abstractmethod
    def number(self, text: str) -> str:
        """Return a number."""

    @abstractmethod
    def setting(self, text: str) -> str:
        """Return an attribute, such as ``axis=1``."""

    @abstractmethod
    def cut(self, name: str, start: int, stop: int) -> str:
        """Return some columns of what has a name."""

    @abstractmethod
    def transposed(self, name: str) -> str:
        """Return a matrix with rows and columns exchanged."""


class Text(Writer):
    """Plain text: ``c = f x c[t-1] + i x j``, with the sign for times."""

    signs: ClassVar = {
        "+": " + ", "-": f" {MINUS} ", "*": f" {TIMES} ", "/": " / ", "@": " @ ", "^": " ^ ", "==": " == ", "<": " < ",
        ">": " > ", "<=": " <= ", ">=": " >= ", "and": " and ", "or": " or ",
    }  # fmt: skip

    def symbol(self, symbol: Symbol) -> str:
        name = visible(symbol.base, _LONGEST) + (f"_{visible(symbol.sub, _LONGEST)}" if symbol.sub else "")
        return name + (f"[{at}]" if (at := moment(symbol)) else "")

    def call(self, function: str, inside: str) -> str:
        return f"{function}({inside})"

    def number(self, text: str) -> str:
        return text

    def setting(self, text: str) -> str:
        return visible(text, _LONGEST)

    def cut(self, name: str, start: int, stop: int) -> str:
        return f"{name}[..., {start}:{stop}]"

    def transposed(self, name: str) -> str:
        return f"{name}.T"


class Latex(Writer):
    r"""LaTeX: ``c_{t} = f_{t} \odot c_{t-1} + i_{t} \odot j_{t}``."""

    signs: ClassVar = {
        "+": " + ", "-": " - ", "*": r" \odot ", "/": " / ", "@": r" \, ", "^": " ^ ", "==": " = ", "<": " < ", ">": " > ",
        "<=": r" \le ", ">=": r" \ge ", "and": r" \land ", "or": r" \lor ",
    }  # fmt: skip
    _functions: ClassVar = {
        "sigmoid": r"\sigma",
        "tanh": r"\tanh",
        "exp": r"\exp",
        "log": r"\log",
        "max": r"\max",
        MINUS: "-",
    }

    def symbol(self, symbol: Symbol) -> str:
        below = latex_name(symbol.sub) if symbol.sub else ""
        if symbol.time is not None or symbol.step is not None:
            here = "t" if symbol.step is None else str(symbol.step)
            below = ", ".join(filter(None, [below, moment(symbol) or here]))
        return latex_name(symbol.base) + (f"_{{{below}}}" if below else "")

    def call(self, function: str, inside: str) -> str:
        named = self._functions.get(function) or rf"\operatorname{{{latex_text(function)}}}"
        return rf"{named}\left({inside}\right)"

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def number(self, text: str) -> str:
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{NaN}")

    def setting(self, text: str) -> str:
        return rf"\text{{{latex_text(visible(text, _LONGEST))}}}"

    def cut(self, name: str, start: int, stop: int) -> str:
        return rf"{name}[\ldots, {start}{{:}}{stop}]"

    def transposed(self, name: str) -> str:
        return rf"{{{name}}}^{{\top}}"


class Html(Writer):
    """HTML: names in italics, blocks and steps below them."""

    signs: ClassVar = {
        **Text.signs, "*": " &#8857; ", "@": "&#8201;", "<": " &lt; ", ">": " &gt; ", "<=": " ≤ ", ">=": " ≥ ", "==": " = ",
    }  # fmt: skip

    def symbol(self, symbol: Symbol) -> str:
        below = ", ".join(filter(None, [html.escape(visible(symbol.sub, _LONGEST)), moment(symbol)]))
        name = html.escape(visible(symbol.base, _LONGEST))
        return f"<i>{name}</i>" + (f"<sub>{below}</sub>" if below else "")

    def call(self, function: str, inside: str) -> str:
        return f"{html.escape(visible(function, _LONGEST))}({inside})"

    def number(self, text: str) -> str:
        return text

    def setting(self, text: str) -> str:
        return html.escape(visible(text, _LONGEST))

    def cut(self, name: str, start: int, stop: int) -> str:
        return f"{name}[..., {start}:{stop}]"

    def transposed(self, name: str) -> str:
        return f"{name}<sup>T</sup>"


TEXT, LATEX, HTML = Text(), Latex(), Html()


def moment(symbol: Symbol) -> str:
    """Return at which step something is meant; nothing for this step."""
    if not symbol.time:
        return ""
    return f"t{symbol.time:+d}" if symbol.step is None else str(symbol.step + symbol.time)


def is_short(value: Array) -> bool:
    """Say whether a constant can be written: as one number where all are equal, else as a few numbers."""
    return _is_even(value) or (0 < value.size <= MOST_NUMBERS and value.ndim < 2)


def same(one: Array, other: Array) -> bool:
    """Say whether two constants are the same to the bit."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _is_negative(term: Term) -> bool:
    """Say whether a number begins with a sign, and cannot stand behind another one."""
    return isinstance(term, Number) and term.value.size == 1 and bool(np.signbit(term.value.astype(np.float64)).any())


def _is_even(value: Array) -> bool:
    return value.ndim == 0 or (value.size > 0 and value.dtype.kind != "i" and bool(np.all(value == value.flat[0])))


def constant_text(value: Array) -> str:
    """Return a constant that is short."""
    return number(value.flat[0]) if _is_even(value) else f"[{', '.join(map(number, value))}]"


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def latex_text(text: str) -> str:
    """Return text that LaTeX shows to the letter."""
    return "".join(_LATEX.get(sign, sign) for sign in visible(text, _LONGEST))


def latex_name(name: str) -> str:
    """Return a name in LaTeX: one letter as mathematics has it, a longer one upright."""
    return name if len(name) == 1 and name.isascii() and name.isalpha() else rf"\mathrm{{{latex_text(name)}}}"
