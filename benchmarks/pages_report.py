"""The section on pages: tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING

from plot import in_units
from report import table
from timing import Spread
from viewers import NETRON, OURS

if TYPE_CHECKING:
    from pages import Measured

#: What the page is held to: seconds by steps, and bytes by steps.
PICTURES = {1000: 0.5, 10_000: 1.0}
SIZES = {28: 250_000, 1000: 1_000_000, 10_000: 4_000_000}
#: The share of Netron's time that the page may take, by steps.
OF_NETRON = {28: 1 / 3, 100: 1 / 20}
HANDS = {"open": ("open an operator", 0.033, None), "step": ("move a step", 0.033, None),
         "zoom": ("a frame while zooming", 0.017, 0.034), "pan": ("a frame while panning", 0.017, 0.034)}  # fmt: skip
# Reading a file is no part of `view`.
VIEWS = (1.0, 1.5, None)
DRAWN = ((0.5, 1_000_000), (1.0, 2_000_000))
# Frames come every 16.7 ms, give or take what clocks are rounded to.
_ROUNDED = 0.0005

_BUSY = "**The machine was busy with other work meanwhile: every time below is longer than on an idle one.**"


def section(found: Measured) -> str:
    """Return the whole section."""
    parts = [
        "## Pages",
        "Written by `python benchmarks/pages.py`. A flat LSTM of 13 units over T steps of 28 features; the page holds one row "
        "of noise, which no packing makes smaller. Netron and Model Explorer read the same network from a file with one "
        "input, from servers that run already. What `view` takes in Python, once a page, is a row of its own.",
        table(("what", "which"), found.about.items()),
        *([_BUSY] if found.busy else []),
        "### The bars of pages",
        table(("what", "at most", "reached", ""), _bars(found)),
        "### First picture",
        "From the request for a page to the frame that shows its picture, by the browser's own clock. Medians, quartiles "
        "beneath.",
        _pictures(found),
        *_unseen(found),
        "A step or an opened operator counts from the key or click until it is painted, the wait for the next frame "
        "included, which comes every 16.7 ms.",
    ]
    return "\n\n".join(parts) + "\n"


def _bars(found: Measured) -> list[tuple[str, str, str, str]]:
    rows = [
        _row(f"CPU of {what}", most, statistics.median(times))
        for (what, times), most in zip(found.views.items(), VIEWS, strict=True)
    ]
    rows += [
        _row(f"the page's file, T = {steps:,}", most, found.sizes[steps], _bytes)
        for steps, most in SIZES.items()
        if steps in found.sizes
    ]
    ours = {
        steps: statistics.median(times) for steps, times in found.pictures[OURS].items() if not isinstance(times, str)
    }
    rows += [
        _row(f"first picture, T = {steps:,}", most, ours[steps]) for steps, most in PICTURES.items() if steps in ours
    ]
    for steps, most in OF_NETRON.items():
        times = found.pictures[NETRON].get(steps, "")
        if not isinstance(times, str) and steps in ours:
            rows.append(
                _row(
                    f"first picture / Netron's, T = {steps}",
                    most,
                    ours[steps] / statistics.median(times),
                    "{:.3f}".format,
                )
            )
    for what, (text, middle, late) in HANDS.items():
        times = sorted(found.hands[what])
        rows.append(_row(f"{text}, T = 1,000: median", middle, statistics.median(times)))
        if late is not None:
            rows.append(_row(f"{text}, T = 1,000: 95 of 100 take", late, times[int(0.95 * (len(times) - 1))]))
    for (what, (times, size)), (longest, largest) in zip(found.drawn.items(), DRAWN, strict=True):
        rows.append(_row(what, longest, statistics.median(times)))
        rows.append(_row(f"{what}: its SVG", largest, size, _bytes))
    return rows


def _row(
    what: str, most: float | None, reached: float, written: Callable[[float], str] = in_units
) -> tuple[str, str, str, str]:
    if most is None:
        return what, "", written(reached), ""
    verdict = "holds" if reached <= most + _ROUNDED else "does not hold"
    return what, written(most), written(reached), verdict


def _bytes(count: float) -> str:
    return f"{count / 1000:,.0f} KB"


def _pictures(found: Measured) -> str:
    lengths = sorted({steps for by_steps in found.pictures.values() for steps in by_steps})
    lines = []
    for viewer, by_steps in found.pictures.items():
        cells = []
        for steps in lengths:
            times = by_steps.get(steps)
            if times is None or isinstance(times, str):
                cells.append("not tried" if times is None else "none")
            else:
                spread = Spread.of(times)
                cells.append(f"{in_units(spread.median)}<br>{in_units(spread.low)} to {in_units(spread.high)}")
        lines.append([viewer, *cells])
    return table(["", *(f"T = {steps:,}" for steps in lengths)], lines)


def _unseen(found: Measured) -> list[str]:
    lines = [
        f"- {viewer}, T = {steps:,}: {why}"
        for viewer, by_steps in found.pictures.items()
        for steps, why in sorted(by_steps.items())
        if isinstance(why, str)
    ]
    return ["None:\n\n" + "\n".join(lines)] if lines else []
