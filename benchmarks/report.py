"""The page that the benchmark writes: tables in Markdown, and the plot beside it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from cases import LENGTHS, PAIRS, ROWS, Row
from costs import ALL, FORMS, LOADED, VERY_LONG
from environment import HERE
from plot import Panel, in_units, svg
from results import OURS, PEERS, Bar, Results, bars, choices

TITLES = {"one": "on one core", "default": "with everyone's default threads"}
THREADS = {
    "one": "Every process is kept on one core; onnxruntime and torch are set to one thread as well, and JAX to no thread pool.",
    "default": "onnxruntime, torch and JAX choose their own number of threads.",
}

TORCH_LOOP = "torch.onnx of a loop over LSTMCell"
#: Jobs that go from the program to the model.
BUILDS = {
    **{f"build {form}": OURS[form] for form in FORMS},
    "tf2onnx": PEERS["tf2onnx"],
    "torch-loop": TORCH_LOOP,
}


#: Sections that other benchmarks measure, each kept in a file beside this one; they come last, in this order.
_OTHERS = ("c_target.md", "symbolic_time.md", "pages.md")


def write_page(results: Results, folder: Path) -> str:
    """Write benchmarks.md and benchmarks.svg into a folder, and return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    page = markdown(results)
    (folder / "benchmarks.md").write_text(page, encoding="utf-8")
    (folder / "benchmarks.svg").write_text(svg(panels(results), {*PEERS.values(), TORCH_LOOP}), encoding="utf-8")
    return page


def markdown(results: Results) -> str:
    """Return the whole page."""
    notes = HERE / "notes.md"
    parts = [
        "# Benchmarks",
        "Written by `python benchmarks/run.py`; edit `benchmarks/notes.md` instead. All of it was measured in one run.",
        table(("what", "which"), results.about.items()),
        "## The bars",
        bars_table(bars(results)),
        *([notes.read_text(encoding="utf-8").strip()] if notes.exists() else []),
        "![Time against T](benchmarks.svg)",
        "## Run time",
        "One BasicLSTMCell over X (T, batch, input), all outputs and the last state; the same weights and inputs for all, "
        "outputs checked equal to the textbook's before anything is timed. Columns are T, batch, input, units. Medians of "
        "rounds in which all took their turn in a new order, quartiles beneath; models run in plain onnxruntime sessions of "
        "one process, except `unroll.compile`, which runs as its user runs it, checks of the feeds included. TensorFlow's "
        "program is ours: `tf.unstack`, `static_rnn`, `tf.stack`. torch and JAX have weights and inputs in place before the "
        "clock starts; torch runs in inference mode.",
    ]
    for threads in results.times:
        parts += [f"### {TITLES[threads].capitalize()}", THREADS[threads], _times(results, threads, ROWS)]
        if _measured(results, threads, LENGTHS):
            parts += [f"Further lengths, {TITLES[threads]}:", _times(results, threads, LENGTHS)]
        if _measured(results, threads, PAIRS):
            parts += [
                f"Two cells, the layers of a stack or both directions, {TITLES[threads]}; outputs alone:",
                _times(results, threads, PAIRS),
            ]
    parts += _cost_model(results)
    if results.costs:
        parts += _costs(results)
    return with_others("\n\n".join(parts) + "\n")


def with_others(page: str) -> str:
    """Return the page with the sections that other benchmarks measured, as its last ones."""
    sections = [(HERE / name).read_text(encoding="utf-8") for name in _OTHERS if (HERE / name).exists()]
    for section in sections:
        page = page.partition(f"\n{section.splitlines()[0]}\n")[0]
    return "\n\n".join([page.rstrip(), *(section.rstrip() for section in sections)]) + "\n"


def write_section(name: str, section: str) -> None:
    """Keep a section that another benchmark measured, and put it into docs/benchmarks.md."""
    (HERE / name).write_text(section, encoding="utf-8")
    target = HERE.parent / "docs" / "benchmarks.md"
    target.write_text(with_others(target.read_text(encoding="utf-8")), encoding="utf-8")


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def bars_table(found: Sequence[Bar]) -> str:
    """Return the table of bars: what, at most, reached, and whether it holds."""
    head = ("what", "at most", "reached", "")
    return table(head, [(bar.what, _at_most(bar), _figure(bar.reached, bar.unit), bar.verdict) for bar in found])


def _at_most(bar: Bar) -> str:
    text = _figure(bar.at_most, bar.unit)
    return text if bar.allowed is None else f"{text}, within the peer's quartile {bar.allowed:.3f}"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def _measured(results: Results, threads: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.key in results.times[threads]]


def _times(results: Results, threads: str, rows: Iterable[Row]) -> str:
    """Return a table of contestants by rows, and under it why any are missing."""
    shown = _measured(results, threads, rows)
    lines = []
    reasons: dict[str, list[str]] = {}
    for name, title in {**OURS, **PEERS}.items():
        cells = []
        for row in shown:
            spread = results.spread(threads, row, name)
            if spread is None:
                reasons.setdefault(f"{title}: {results.times[threads][row.key].get(name)}", []).append(f"({row})")
                cells.append("missing")
            else:
                cells.append(f"{in_units(spread.median)}<br>{in_units(spread.low)} to {in_units(spread.high)}")
        lines.append([title, *cells])
    notes = [
        f"- {reason}, at {'every size' if len(at) == len(shown) else ', '.join(at)}" for reason, at in reasons.items()
    ]
    made = table(["", *(str(row) for row in shown)], lines)
    return made + ("\n\nMissing:\n\n" + "\n".join(notes) if notes else "")


def _cost_model(results: Results) -> list[str]:
    found = choices(results)
    if not found:
        return []
    right = sum(choice.right for choice in found)
    lines = [
        (str(choice.row), in_units(choice.auto.median), OURS[choice.fastest], in_units(choice.best.median),
         f"{choice.auto.median / choice.best.median:.3f}",
         results.chosen.get("one", {}).get(choice.row.key) or "missing")
        for choice in found
    ]  # fmt: skip
    return [
        "## The cost model's choice",
        f"`auto` without tuning, beside the fastest form measured on one core: right at {right} of {len(found)} sizes "
        "(within the fastest form's quartiles or 5 % of its median).",
        table(
            ("T, batch, input, units", "auto", "fastest form", "its time", "ratio", "compile measured and chose"), lines
        ),
    ]


def _costs(results: Results) -> list[str]:
    return [
        "## Compile cost",
        "BasicLSTMCell(13) over T steps of 28 features, batch 1: from the first line of the program, imports done, to the "
        "bytes of the model. A process each; medians where there were several. TensorFlow's T = 1,000, which takes minutes, is "
        "from when its model was first made, unless the benchmark is run with `--full`.",
        _build_table(results),
        *_missing(results, *BUILDS, "passes", "import"),
        *_passes(results),
        "## Session creation",
        "The unrolled form, optimised, from its file into onnxruntime, without the run after it; peak memory of the whole "
        "process, that run included.",
        _load_table(results),
        *_missing(results, "load ours", "load plain"),
        "## Very long",
        f"T = {VERY_LONG:,}, from the first line of the program to the first result, with `dynamic_rnn(..., rolled=True)`, "
        "which traces one step for all: unrolling so many takes minutes.",
        _first_table(results),
        *_missing(results, "first"),
    ]


def _missing(results: Results, *jobs: str) -> list[str]:
    """Say why figures of some jobs are missing, where any are."""
    reasons: dict[str, list[str]] = {}
    for job in jobs:
        for case, runs in results.costs.get(job, {}).items():
            for why in {run["missing"] for run in runs if "missing" in run}:
                reasons.setdefault(f"{job}: {why}", []).append(case)
    return [f"Missing: {why} ({', '.join(cases)})." for why, cases in reasons.items()]


def _build_table(results: Results) -> str:
    lines = []
    for steps in ALL:
        for job, tool in BUILDS.items():
            if str(steps) in results.costs.get(job, {}):
                cells = (_cell(results, job, steps, name) for name in ("trace", "seconds", "peak", "nodes", "bytes"))
                lines.append([f"{steps:,}", f"{tool}{_day(results, job, steps)}", *cells])
    made = table(("T", "tool", "of which trace", "total", "peak memory", "nodes", "bytes"), lines)
    importing = _cell(results, "import", "", "seconds")
    return f"{made}\n\n`import unroll` beyond NumPy: {importing} (at most 300 ms)."


def _day(results: Results, job: str, steps: int) -> str:
    """Say when a figure was kept from an earlier run."""
    days = {run["day"] for run in results.costs[job][str(steps)] if "day" in run}
    return "".join(f" (kept from {day})" for day in sorted(days - {results.about.get("date")}))


def _cell(results: Results, job: str, case: object, name: str) -> str:
    value = results.cost(job, case, name)
    if value is None:
        return "missing" if any("missing" in run for run in results.costs.get(job, {}).get(str(case), [])) else ""
    if name == "peak":
        return f"{value / 1e6:,.0f} MB"
    return f"{value:,.0f}" if name in ("nodes", "bytes") else in_units(value)


def _passes(results: Results) -> list[str]:
    runs = [run["passes"] for run in results.costs.get("passes", {}).get("1000", []) if "passes" in run]
    if not runs:
        return []
    lines = [
        (name, in_units(statistics.median(run[place][1] for run in runs)) if place else "", f"{nodes:,}")
        for place, (name, _, nodes) in enumerate(runs[0])
    ]
    return ["The passes, in order, at T = 1,000:", table(("pass", "time", "nodes after it"), lines)]


def _load_table(results: Results) -> str:
    lines = [
        (f"{steps:,}", whose, _cell(results, job, steps, "seconds"), _cell(results, job, steps, "peak"))
        for steps in LOADED
        for job, whose in (("load ours", "unroll.Session"), ("load plain", "onnxruntime, its own settings"))
    ]
    return table(("T", "session", "creation", "peak memory"), lines)


def _first_table(results: Results) -> str:
    names = ("trace", "export", "seconds", "peak")
    lines = [
        (form, *(_cell(results, "first", f"{form} {VERY_LONG}", name) for name in names))
        for form in ("rerolled", "scan")
    ]
    return table(("form", "trace", "to_onnx", "total", "peak memory"), lines)


def panels(results: Results) -> list[Panel]:
    """Return the two plots: run time on one core, and compile cost, against T."""
    short = sorted(row for row in (*ROWS, *LENGTHS) if (row.batch, row.inputs, row.units) == (1, 28, 13))
    running = {
        title: [(row.steps, spread.median) for row in short if (spread := results.spread("one", row, name)) is not None]
        for name, title in {**OURS, **PEERS}.items()
    }
    making = {
        title: [(steps, value) for steps in ALL if (value := results.cost(job, steps, "seconds")) is not None]
        for job, title in BUILDS.items()
    }
    return [
        Panel("LSTM(13), batch 1: run time on one core", {name: line for name, line in running.items() if line}),
        Panel("The same: from the program to the model", {name: line for name, line in making.items() if line}),
    ]
