"""`to_c`: a graph as C, one file and its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from unroll.arguments import checked
from unroll.checks import check_choice, check_flag
from unroll.errors import ArgumentError, ArgumentTypeError, FileError
from unroll.export.bits import checked_bits
from unroll.export.c.footprint import Footprint, footprint_of
from unroll.export.c.identifiers import RESERVED, identifier
from unroll.export.c.listing import Listing
from unroll.export.c.measuring import measured
from unroll.export.c.narrowing import lost_by
from unroll.export.c.program import Port, Program, program_of
from unroll.files import as_path, write_bytes
from unroll.graph import Graph, check_graph

MATHS = ("fast", "libm")
_MOST_LISTED = 4
#: The headers that C here includes.
_HEADERS = ("math", "stdint")


class CSource:
    """A graph as C.

    Attributes:
        name: what names of functions and types begin with.
        c: the text of the file.
        h: the text of its header.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> source = unroll.to_c(unroll.Graph([x], {"y": 2 * x}))
        >>> print(source)
        model_run(x (2,) float32 -> y (2,) float32)
    """

    def __init__(self, graph: Graph, dims: Mapping[str, int] | None, program: Program, name: str, math: str) -> None:
        listing = Listing(program, name, math)
        self.name, self._program, self._graph, self._dims = name, program, graph, dims
        self.c, self.h = listing.source(), listing.header()
        self._entry = listing.entry

    def __repr__(self) -> str:
        sides = [", ".join(_listed(group)) for group in (self._program.inputs, self._program.outputs)]
        return f"{self._entry}({sides[0]} -> {sides[1]})"

    def report(self, compiler: str | None = None) -> Footprint:
        """Return what the program takes: bytes of constants and of context, and multiply-adds; and what weights in fewer bits
        lose. It prints as lines.

        Args:
            compiler: a C compiler and its flags, such as ``"arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -Os"``, which compiles
                the file for the report to say how many bytes code and stack take; ``-O2`` where no other flag says how far it
                optimises. By default none is asked.

        Raises:
            ArgumentTypeError, ArgumentError: `compiler` is no text, or opens a quote that it does not close.
            UnsupportedError: there is no such program.
            ModelError: it fails, or takes more than five minutes.

        Example:
            >>> x = unroll.placeholder([1, 3], name="x")
            >>> print(unroll.to_c(unroll.Graph([x], {"y": x @ np.eye(3, 16, dtype="float32")})).report())
            192 bytes of constants, 0 bytes of context, 48 multiply-adds a run, 0 loops over steps
            code and stack depend on the compiler: report('gcc -Os') asks one
        """
        found = footprint_of(self._program)
        if self._program.narrowed:
            lost = lost_by(self._graph, self._dims, self._program.graph, self._program.narrowed)
            found = found._replace(lost=lost)
        if compiler is None:
            return found
        made = measured(self.c, self.h, self.name, (self._entry, f"{self.name}_init"), compiler)
        code = None if made.read_only is None else made.read_only - found.constants
        return found._replace(code=code, stack=made.stack, compiler=compiler)

    def save(self, path: str) -> tuple[Path, Path]:
        """Write the file and its header beside it, each whole or not at all.

        Args:
            path: the file, ``<any name>.c``; it includes ``<that name>.h``.

        Returns:
            The paths of the file and of the header.

        Raises:
            FileError: the path does not end in ``.c``, or cannot be written.
        """
        file = _checked_path(path)
        header = file.with_suffix(".h")
        write_bytes(file, self.c.replace(f'#include "{self.name}.h"', f'#include "{header.name}"', 1).encode())
        write_bytes(header, self.h.encode())
        return file, header


def _checked_path(path: object) -> Path:
    """Return the path of a file of C whose header it can include.

    Raises:
        ArgumentTypeError, FileError: it is no path, it does not end in ``.c``, or C cannot say its name.
    """
    file = as_path(path, "to_c: path")
    if file.suffix != ".c":
        raise FileError(f"{file}: a file of C ends in .c; write it to {file.with_suffix('.c').name}")
    if not file.stem.isprintable() or set(file.stem) & {'"', "\\"}:
        raise FileError(f"to_c: path {str(file)!r}: C cannot include a header of that name; give it a plain one")
    if file.stem.lower() in _HEADERS:
        raise FileError(
            f"{file}: its header would be called like <{file.stem.lower()}.h>, which it includes; name it otherwise"
        )
    return file


def _listed(ports: Sequence[Port]) -> list[str]:
    """Return the first few of what the caller hands in or takes out, in words."""
    own = [port.view for port in ports if not port.state]
    more = [f"{len(own) - _MOST_LISTED} more"] if len(own) > _MOST_LISTED else []
    return [f"{view.buffer.name} {view.shape} {view.dtype}" for view in own[:_MOST_LISTED]] + more


@checked()
def to_c(
    graph: Graph,
    path: str | None = None,
    *,
    name: str | None = None,
    dims: Mapping[str, int] | None = None,
    math: str = "fast",
    rolled: bool = True,
    dtype: str | None = None,
    quantize: str | None = None,
) -> CSource:
    """Write a graph as C99: one file and its header, without dependencies, allocation or global state.

    The caller hands in a context, which holds scratch, and arrays for the inputs and outputs; weights are constants in the
    file. Steps that repeat are loops. A graph with states gives ``<name>_init`` and ``<name>_step``, which keeps the states in
    the context; any other gives ``<name>_run``.

    Args:
        graph: any graph of float32, float64, integers and booleans.
        path: where the file is written, with the header, which the file includes, beside it; None writes nothing.
        name: what names of functions and types begin with; by default the path's own without ``.c``, as a name that C takes,
            and ``"model"`` where there is no path.
        dims: numbers for the symbols of the inputs, such as ``{"batch": 1}``: sizes are fixed in C.
        math: ``"fast"`` computes exp, tanh and sigmoid by polynomials, right to 3e-7 in float32, for NaN and infinity too;
            ``"libm"`` calls the functions of ``<math.h>``.
        rolled: whether steps that repeat are written as loops.
        dtype: ``"float16"`` holds the weights of products, convolutions and tables in float16; what is computed stays float32.
        quantize: ``"int8"`` holds the weights of products as whole numbers, with a scale for each column.

    Returns:
        The source; ``source.c`` and ``source.h`` are its texts, and ``source.report()`` says what is lost.

    Raises:
        ArgumentTypeError: `graph` is no Graph, or another argument is of a type that it does not take.
        ArgumentError: a size is open, `dims` hold what is no symbol, `name` is no name of C, there is no such `math`, `dtype`
            or `quantize`, or both of these are given.
        ShapeError: the graph does not allow these sizes.
        UnsupportedError: an operator or dtype that cannot be written; a loop of which only a run knows how often it runs; or no
            weight can be held in fewer bits, or one has a number that these do not have.
        FileError: the path cannot be written, or does not end in ``.c``.

    Example:
        >>> x = unroll.placeholder([None, 4, 3], name="x")
        >>> outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)
        >>> unroll.to_c(unroll.Graph([x], {"y": outputs}), dims={"batch": 1})
        model_run(x (1, 4, 3) float32 -> y (1, 4, 5) float32)
    """
    check_graph(graph, "to_c")
    check_choice(math, MATHS, "to_c: math")
    check_flag(rolled, "to_c: rolled")
    file = None if path is None else _checked_path(path)
    called = _name_of(file) if name is None else checked_name(name)
    bits = checked_bits(dtype, quantize, "to_c")
    program = program_of(graph, dims, rolled=rolled, states=True, what="to_c", bits=bits)
    source = CSource(graph, dims, program, called, math)
    if path is not None:
        source.save(path)
    return source


def _name_of(file: Path | None) -> str:
    """Return the name that a file gives: its own, where C takes it, and else one like it."""
    if file is None:
        return "model"
    stem = file.stem
    return stem if _is_name(stem) else identifier(stem)


def checked_name(name: object) -> str:
    """Return a name that C takes.

    Raises:
        ArgumentTypeError, ArgumentError: it is no text, or C does not take it.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"to_c: name {name!r}: a text is wanted")
    if not _is_name(name):
        shown = name if len(name) <= 40 else name[:37] + "..."
        raise ArgumentError(
            f"to_c: name {shown!r}: names of functions begin with it; letters, digits and underscores are wanted, a letter "
            "first, 40 at most, and no word of C"
        )
    return name


def _is_name(name: str) -> bool:
    plain = name.isascii() and name.isidentifier() and not name.startswith("_")
    return plain and name not in RESERVED and len(name) <= 40
