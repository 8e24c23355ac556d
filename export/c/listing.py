"""The file and its header: types, weights, functions and the program."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from unroll.export.c.functions import definitions, needs_math
from unroll.export.c.layout import ALIGNED, Buffer, Sizes
from unroll.export.c.pen import Pen
from unroll.export.c.program import Program
from unroll.export.c.text import Text, printable
from unroll.export.c.types import c_type
from unroll.export.c.writer import write_statements
from unroll.version import __version__

_NUMBERS = 8
_COMMENT = re.compile(r"/\*.*?\*/")
#: What has no literal, and is a name of <math.h>.
_SPECIAL = re.compile(r"\b(?:NAN|INFINITY)\b")


class Listing:
    """Writes a program as C.

    Args:
        program: what is written.
        name: what names of functions and types begin with.
        math: ``"fast"`` or ``"libm"``.
        apart: whether weights are handed in by the caller, as the fields of a struct, and not part of the file.
    """

    def __init__(self, program: Program, name: str, math: str, apart: bool = False) -> None:
        self.program, self.name, self.math, self.apart = program, name, math, apart

    # -- names ----------------------------------------------------------------------------------------------------

    @property
    def entry(self) -> str:
        """The name of the function that runs."""
        return f"{self.name}_{'step' if self.program.states else 'run'}"

    def _refer(self, buffer: Buffer) -> str:
        if buffer.kind == "scratch":
            return f"context->{(buffer.room or buffer).name}"
        return f"weights->{buffer.name}" if buffer.kind == "weight" and self.apart else buffer.name

    def _parameters(self, restrict: str) -> list[str]:
        """Return the parameters of the function that runs."""
        first = [f"const {self.name}_weights *{restrict}weights"] if self.apart else []
        found = [*first, f"{self.name}_context *{restrict}context"]
        found += [
            f"const {c_type(p.view.dtype)} *{restrict}{p.view.buffer.name}" for p in self.program.inputs if not p.state
        ]
        return found + [
            f"{c_type(p.view.dtype)} *{restrict}{p.view.buffer.name}" for p in self.program.outputs if not p.state
        ]

    # -- the header -----------------------------------------------------------------------------------------------

    def header(self) -> str:
        """Return the text of the header."""
        text, upper = Text(), self.name.upper()
        text.line(f"/* {self.name}: written by unroll {__version__}. */")
        text.line(f"#ifndef {upper}_H")
        text.line(f"#define {upper}_H")
        text.line()
        text.line("#include <stdint.h>")
        text.line()
        text.line(f"#ifndef {upper}_ALIGNED")
        text.line("#if defined(__GNUC__)")
        text.line(f"#define {upper}_ALIGNED __attribute__((aligned({ALIGNED})))")
        text.line("#else")
        text.line(f"#define {upper}_ALIGNED")
        text.line("#endif")
        text.line("#endif")
        text.line()
        text.line("#ifdef __cplusplus")
        text.line('extern "C" {')
        text.line("#endif")
        text.line()
        if self.apart:
            self._struct(text, "weights", self.program.weights, "")
        about = "Scratch" + (", and the states that live from step to step" if self.program.states else "")
        self._struct(text, "context", self.program.scratch, f"{about}. Its owner is the caller; one for each thread.")
        if self.program.states:
            text.comment("Begins a sequence: all states are zero.")
            text.line(f"void {self.name}_init({self.name}_context *context);")
            text.line()
        text.comment("Computes the outputs from the inputs; sizes are numbers of elements, the last axis the closest.")
        for port in (*self.program.inputs, *self.program.outputs):
            if not port.state:
                text.comment(f"{port.view.buffer.name}: {_shape(port.view.shape)} {port.view.dtype}, {port.name}")
        text.line(f"void {self.entry}({', '.join(self._parameters(''))});")
        if self.apart:
            text.line(f"void {self.name}_call(void *const *addresses);")
            text.line(f"uint64_t {self.name}_size(int which);")
        text.line()
        text.line("#ifdef __cplusplus")
        text.line("}")
        text.line("#endif")
        text.line()
        text.line("#endif")
        return "\n".join(text.lines) + "\n"

    def _struct(self, text: Text, what: str, buffers: Iterable[Buffer], about: str) -> None:
        upper = self.name.upper()
        if about:
            text.comment(about)
        listed = list(buffers)
        with text.block("typedef struct", f"}} {self.name}_{what};"):
            for buffer in listed:
                if buffer.guests:
                    text.comment(f"at other times {', '.join(guest.name for guest in buffer.guests)}")
                size = buffer.extent * buffer.held.itemsize
                aligned = f" {upper}_ALIGNED" if size >= ALIGNED else ""
                text.line(f"{c_type(buffer.held)} {buffer.name}[{max(1, buffer.extent)}]{aligned};")
            if not listed:
                text.line("unsigned char unused;")
        text.line()

    # -- the file -------------------------------------------------------------------------------------------------

    def source(self, included: bool = True) -> str:
        """Return the text of the file.

        Args:
            included: whether the header is another file, and not part of this one.
        """
        body = Text()
        self._functions(body)
        code = "\n".join(body.lines)
        weights = "" if self.apart else "\n".join(self._weights())
        bare = _COMMENT.sub("", code)  # what a comment names is not called
        helpers = definitions(bare, self.math)
        head = Text()
        for line in self._about():
            head.comment(line)
        head.line(f'#include "{self.name}.h"' if included else self.header().rstrip("\n"))
        if needs_math(helpers) or _SPECIAL.search(weights + bare):
            head.line("#include <math.h>")
        if self.apart:
            head.line("#include <stddef.h>")
        head.line()
        parts = ["\n".join(head.lines), weights, helpers, code]
        return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)

    def _about(self) -> list[str]:
        count = sum(buffer.size for buffer in self.program.weights)
        return [
            f"{self.name}: written by unroll {__version__}; {count} weights, "
            f"{self.program.context_bytes} bytes of context.",
        ]

    def _weights(self) -> Iterable[str]:
        for buffer in self.program.weights:
            yield f"/* {printable(buffer.name)}: {buffer.size} numbers. */"
            aligned = f" {self.name.upper()}_ALIGNED" if buffer.bytes >= ALIGNED else ""
            yield f"static const {c_type(buffer.held)} {buffer.name}[{max(1, buffer.size)}]{aligned} = {{"
            yield from _numbers(buffer)
            yield "};"
            yield ""

    def _functions(self, text: Text) -> None:
        if self.program.states:
            with text.block(f"void {self.name}_init({self.name}_context *context)"):
                for port in self.program.inputs:
                    if port.state:
                        with text.loop("i", port.view.buffer.size):
                            text.line(f"context->{port.view.buffer.name}[i] = 0;")
                        self._unused(text, [])
            text.line()
        text.line(f"void {self.entry}({', '.join(self._parameters('restrict '))})")
        with text.block(""):
            body = Text()
            write_statements(Pen(body, self._refer), self.program.body)
            self._unused(text, self._not_read("\n".join(body.lines)))
            for line in body.lines:
                text.line(line)
        if self.apart:
            text.line()
            self._calls(text)

    def _not_read(self, body: str) -> list[str]:
        """Return the parameters that C does not name: an input may be read where all that is asked of it is known."""
        named = set(re.findall(r"\w+", _COMMENT.sub("", body)))
        ports = [port.view.buffer.name for port in (*self.program.inputs, *self.program.outputs) if not port.state]
        parameters = [*ports, "context", *(["weights"] if self.apart else [])]
        return [name for name in parameters if name not in named]

    def _unused(self, text: Text, names: Iterable[str]) -> None:
        for name in names:
            text.line(f"(void){name};")

    def _calls(self, text: Text) -> None:
        """Write what Python calls: all addresses in one array, and where weights are."""
        name = self.name
        ports = [port for port in (*self.program.inputs, *self.program.outputs) if not port.state]
        given = [f"addresses[{place}]" for place in range(len(ports) + 2)]
        with text.block(f"void {name}_call(void *const *addresses)"):
            text.line(f"{self.entry}({', '.join(given)});")
        text.line()
        weights = self.program.weights
        offsets = [f"offsetof({name}_weights, {buffer.name})" for buffer in weights]
        listed = [f"sizeof({name}_context)", f"sizeof({name}_weights)", *offsets]
        with text.block(f"uint64_t {name}_size(int which)"):
            with text.block("static const uint64_t sizes[] =", "};"):
                for item in listed:
                    text.line(f"{item},")
            text.line("return sizes[which];")


def _numbers(buffer: Buffer) -> Iterable[str]:
    """Yield the lines of a weight's numbers, each of which reads back as it is."""
    value = buffer.value
    assert value is not None
    if not value.size:
        yield "    0"
        return
    if value.dtype == np.float16:
        value = value.view(np.uint16)
    if value.dtype.kind != "f":
        kind = "INT64_C({})" if value.dtype.itemsize == 8 else "{}"
        low = "(-INT64_C(9223372036854775807) - 1)" if value.dtype.itemsize == 8 else "(-2147483647 - 1)"
        least = np.iinfo(value.dtype).min if value.dtype.kind == "i" else None
        parts = [low if item == least else kind.format(int(item)) for item in value.tolist()]
    else:
        single = value.dtype.itemsize == 4
        end, digits = ("f", 9) if single else ("", 17)
        text = (f"%.{digits}g," * value.size) % tuple(value.tolist())
        text = re.sub(r"(?<![^,])(-?\d+)(?=,)", r"\1.0", text)
        parts = text.rstrip(",").split(",")
        names = {"nan": "NAN", "-nan": "NAN", "inf": "INFINITY", "-inf": "-INFINITY"}
        parts = [names.get(item, item + end) for item in parts]
    for start in range(0, len(parts), _NUMBERS):
        yield f"    {', '.join(parts[start : start + _NUMBERS])},"


def _shape(shape: Sizes) -> str:
    return f"({', '.join(map(str, shape))})"
