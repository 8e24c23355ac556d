"""The benchmark's tables say what the samples say: checked on made-up numbers, nothing is timed."""

import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from helpers import REPOSITORY

import unroll

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import ours
from cases import PAIRS, ROWS, Row, WrongError, check
from plot import Panel, in_units, svg
from report import markdown, panels
from results import Results, bars, choices
from timing import Spread, contestant, measure

FIRST = ROWS[0]  # 28, 1, 28, 13


def results(**samples):
    """Times of the first row on one core, in microseconds, five rounds each unless it is a reason."""
    times = {name: found if isinstance(found, str) else [us * 1e-6 for us in found] for name, found in samples.items()}
    return Results(times={"one": {FIRST.key: times}})


def bar(found, start):
    (line,) = [line for line in bars(found) if line.what.startswith(start)]
    return line


def test_a_spread_is_the_median_and_the_quartiles():
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("auto", "verdict"),
    [
        ([9, 10, 10], "holds"),
        ([21, 21, 21], "holds"),
        ([23, 23, 23], "does not hold"),
        ("no such form", "not measured"),
    ],
)
def test_auto_is_held_against_the_fastest_onnx_peer_within_its_quartile(auto, verdict):
    found = results(**{"auto-torch": auto}, auto=[99, 99, 99], tf2onnx=[150, 150, 150], torch=[18, 20, 24])
    line = bar(found, "unroll, auto / fastest ONNX peer, at 28, 1, 28, 13")
    assert line.verdict == verdict
    assert line.allowed == (None if isinstance(auto, str) else pytest.approx(22 / 20))


def test_against_tf2onnx_it_is_tensorflows_program_that_counts():
    found = results(**{"auto-torch": [99, 99, 99]}, auto=[10, 10, 10], tf2onnx=[15, 15, 15], torch=[20, 20, 20])
    assert bar(found, "unroll, auto / fastest ONNX peer, at 28, 1, 28, 13 (tf2onnx)").verdict == "holds"


def test_a_bar_against_both_peers_is_not_measured_with_one_of_them():
    found = results(auto=[10, 10, 10], tf2onnx=[150, 150, 150], torch="not installed")
    assert bar(found, "unroll, auto / fastest ONNX peer, at 28, 1, 28, 13").verdict == "not measured"


def test_a_ratio_is_of_medians_and_its_bar_is_the_one_of_the_issue():
    found = results(auto=[1, 15, 900], optimised=[119, 120, 121], tf2onnx=[100, 150, 151])
    line = bar(found, "unroll, auto / tf2onnx, at 28, 1, 28, 13")
    assert (line.reached, line.at_most, line.verdict) == (pytest.approx(0.1), 0.12, "holds")
    line = bar(found, "unroll, unrolled and optimised / tf2onnx, at 28, 1, 28, 13")
    assert (line.reached, line.at_most, line.verdict) == (pytest.approx(0.8), 0.75, "does not hold")


def test_every_row_and_every_cost_has_a_bar():
    found = bars(Results())
    assert {line.verdict for line in found} == {"not measured"}
    assert len(found) == len(ROWS) * 3 + 2 + len(PAIRS) * 2 + 7


def test_costs_are_medians_of_processes_and_held_against_their_bars():
    found = Results(
        costs={
            "build optimised": {
                "1000": [{"seconds": seconds, "peak": 9e7} for seconds in (0.4, 9.0, 0.5)],
                "10000": [{"seconds": 5.5, "peak": 7e8}],
            },
            "tf2onnx": {"1000": [{"seconds": 100.0}]},
            "load ours": {"1000": [{"seconds": 1.0, "peak": 1e8}], "4000": [{"seconds": 4.0, "peak": 3e8}]},
            "load plain": {"4000": [{"seconds": 10.0, "peak": 2e8}]},
            "first": {"scan 100000": [{"seconds": 21.0}], "rerolled 100000": [{"missing": "no such form"}]},
        }
    )
    reached = {line.what: (line.reached, line.verdict) for line in bars(found)[-7:]}
    assert list(reached.values()) == [
        (pytest.approx(0.005), "holds"),
        (pytest.approx(11.0), "holds"),
        (pytest.approx(4.0), "holds"),
        (pytest.approx(1.5), "holds"),
        (pytest.approx(700.0), "does not hold"),
        (None, "not measured"),
        (21.0, "does not hold"),
    ]


def test_a_job_that_is_missing_leaves_its_bars_unmeasured_and_the_page_says_why():
    runs = {"1000": [{"missing": "to_onnx has no forms"}], "10000": [{"seconds": 5.0, "peak": 9e7}]}
    found = Results(costs={"build optimised": runs, "tf2onnx": {"1000": [{"seconds": 100.0}]}})
    assert [line.verdict for line in bars(found)[-7:-4]] == ["not measured"] * 3
    assert "Missing: build optimised: to_onnx has no forms (1000)." in markdown(found)


def test_the_cost_model_is_right_within_the_best_forms_quartiles_or_a_twentieth():
    forms = {"optimised": [99, 100, 101], "rerolled": [10, 10, 12]}
    for auto, right in (([10.4] * 3, True), ([11.5] * 3, False), ([100] * 3, False)):
        (choice,) = choices(results(auto=auto, **forms))
        assert (choice.fastest, choice.right) == ("rerolled", right)


def test_the_page_shows_a_missing_form_as_missing_and_says_why():
    page = markdown(results(auto="to_onnx has no forms", tf2onnx=[150, 150, 150]))
    assert "| unroll, auto | missing |" in page
    assert "- unroll, auto: to_onnx has no forms, at every size" in page
    assert "| tf2onnx of static_rnn | 150 µs<br>150 µs to 150 µs |" in page


def test_the_plot_is_svg_with_a_line_for_each_contestant():
    found = panels(results(auto=[10, 10, 10], tf2onnx=[150, 150, 150]))
    root = ElementTree.fromstring(svg(found))
    assert len(root.findall(".//{*}polyline")) == 2
    lines = ElementTree.fromstring(svg([Panel("", {"a": [(10, 1e-5), (1000, 1e-3)]})])).findall(".//{*}polyline")
    (x0, y0), (x1, y1) = (point.split(",") for point in lines[0].get("points").split())
    assert float(x0) < float(x1)
    assert float(y0) > float(y1)  # upwards is more


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.44e-6, "12.4 µs"), (1.459e-3, "1.46 ms"), (53.0, "53 s"), (0.9999, "1 s"), (1e-5, "10 µs")],
)
def test_times_are_written_with_three_digits(seconds, text):
    assert in_units(seconds) == text


@pytest.mark.parametrize("network", ["one", "layers", "directions"])
@pytest.mark.parametrize("program", [ours.program, ours.torch_program])
def test_the_program_that_is_timed_computes_the_textbooks_numbers(program, network):
    row = Row(3, 2, 4, 5, network)
    graph = program(row)
    found = graph.run({"X": row.arrays()["X"]})
    assert tuple(found) == row.output_names
    check(row, list(found.values()))
    found["Y"][0, 0, 0] += 1e-3
    with pytest.raises(WrongError, match=r"Y is off by 0\.001"):
        check(row, list(found.values()))
    assert isinstance(graph, unroll.Graph)


@pytest.mark.parametrize("row", [*ROWS, *PAIRS], ids=str)
def test_a_row_is_read_back_from_its_key(row):
    assert Row.parse(row.key) == row
    with pytest.raises(ValueError, match="sideways"):
        Row.parse(f"{ROWS[0].key}_sideways")


@pytest.mark.slow
def test_every_contestant_is_called_in_every_round():
    calls = {"a": 0, "b": 0}

    def call(name):
        calls[name] += 1
        np.zeros(1000)

    found = measure({name: contestant(lambda name=name: call(name)) for name in calls}, rounds=4, seconds=1e-6)
    assert {name: len(samples) for name, samples in found.items()} == {"a": 4, "b": 4}
    assert calls == {"a": 5 + 4 * 3, "b": 5 + 4 * 3}
