"""Which form of a graph was chosen, and why: every form that was looked at, as a table."""

from __future__ import annotations

from typing import NamedTuple

from unroll.tables import table

#: What the form is called that is no model: compiled C.
C = "c"
#: The columns of the table, and what they are.
_COLUMNS = ("form", "threads", "ms", "nodes", "bytes", "error", "")
_TIMES = "ms: milliseconds of a run; a quarter of the runs took less, which other programs on the machine disturb least"
_SIZES = (
    "threads: by how many an operator is computed; nodes, bytes: of the file",
    "error: the worst |a - b| / max(1, |b|) against NumPy",
)


class Candidate(NamedTuple):
    """A way to run a graph, and what was found of it.

    Attributes:
        form: the form, and whether it was optimised.
        threads: threads an operator is computed by; None for as many as there are cores.
        seconds: the median time of a run; None where it was not measured.
        quick: the lower quartile of the times, by which forms are compared: other programs on the machine add least to
            it.
        nodes: how many nodes the model has; None where it was not written.
        bytes: how large the model is.
        difference: the worst ``|a - b| / max(1, |b|)`` against NumPy.
        note: why it was not measured or may not be chosen; empty where it may.
    """

    form: str
    threads: int | None = None
    seconds: float | None = None
    quick: float | None = None
    nodes: int | None = None
    bytes: int | None = None
    difference: float | None = None
    note: str = ""


class Choice(NamedTuple):
    """Which form a compiled session runs, and why; as text, a table.

    Attributes:
        form: the form chosen, and whether it was optimised.
        threads: threads an operator is computed by; None for as many as there are cores.
        how: ``measured``, ``cached`` (measured before), ``estimated`` or ``asked for``.
        batch: what symbolic dimensions were taken for.
        candidates: every form that was looked at, the one chosen among them.
        lost: of int8 and float16, the worst ``|a - b| / max(1, |b|)`` of the form chosen, against the graph in NumPy on random
            feeds; None where nothing is lost but rounding.
    """

    form: str
    threads: int | None
    how: str
    batch: int
    candidates: tuple[Candidate, ...]
    lost: float | None = None

    def __str__(self) -> str:
        return self.table()

    def table(self, width: int | None = None) -> str:
        """Return the form chosen, every form as a row, and what the columns are.

        Args:
            width: how wide a line of the table may be; by default as wide as it comes.
        """
        rows: list[tuple[str, ...]] = [
            (
                item.form,
                "all" if item.threads is None else str(item.threads),
                "" if item.quick is None else in_milliseconds(item.quick),
                "" if item.nodes is None else f"{item.nodes:,}",
                "" if item.bytes is None else f"{item.bytes:,}",
                "" if item.difference is None else f"{item.difference:.1e}",
                item.note or ("chosen" if (item.form, item.threads) == (self.form, self.threads) else ""),
            )
            for item in self.candidates
        ]
        widths = [max(map(len, cells)) for cells in zip(_COLUMNS, *rows, strict=True)]
        header, *rows = [(row[0], *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]) for row in (_COLUMNS, *rows)]
        lost = "" if self.lost is None else f"; {self.lost:.1e} of max(1, |value|) lost on random feeds"
        said = [f"{self.form}, {self.how} at batch {self.batch}{lost}", table(header, rows, True, width)]
        if any(item.quick is not None for item in self.candidates):
            said.append(_TIMES)
        return "\n".join([*said, *_SIZES])

    def __repr__(self) -> str:
        return str(self)


def in_milliseconds(seconds: float) -> str:
    """Return a time as a number of milliseconds to read."""
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.001 else f"{value:.6f}"
