"""Every golden case through C: real TensorFlow's, Keras's and PyTorch's numbers, about 50 cases an executable.

    python tests/export/c/try_golden.py [--compiler clang] [--flags fast] [--only torch] [--every 8]

The cases are those that the tests of golden files hand to their checks: pytest runs these tests, and a check takes down what
it is handed instead. The exit status is 1 where a number is too far, or a case of float32 or float64 cannot be written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parents[2]
sys.path.insert(0, str(TESTS))

import helpers  # noqa: E402
import keras_programs  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from c_running import SANITIZED, Case, golden_case, run_all, share  # noqa: E402
from helpers import Array  # noqa: E402

import unroll  # noqa: E402

GOLDEN = (
    "cells/test_tensorflow_golden.py::test_numpy_gives_tensorflows_numbers",
    "cells/test_tensorflow_family.py::test_all_three_runners_give_tensorflows_numbers",
    "cells/test_contrib_cells.py::test_three_runners_give_the_numbers_of_the_golden_file",
    "nn/test_torch_golden.py::test_a_module_gives_pytorchs_numbers_in_all_three_runners",
    "nn/test_torch_golden.py::test_a_module_without_a_state_gives_pytorchs_numbers_too",
    "layers/test_keras_golden.py::test_a_layer_gives_keras_numbers",
    "layers/test_keras_golden.py::test_a_stateful_layer_gives_keras_numbers_call_after_call",
    "layers/test_keras_sequential.py::test_a_sequential_model_traced_gives_keras_numbers",
    "layers/test_keras_around.py::test_a_layer_gives_keras_numbers_and_masks_in_numpy_and_names_its_weights_likewise",
)
FLAGS = {
    "sanitized": SANITIZED,
    "plain": ("-O0",),
    "fast": ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
}
TOGETHER = 50


class Golden(NamedTuple):
    """A case: where it is tested, the graph with its feeds, and another framework's numbers."""

    name: str
    case: Case
    expected: Mapping[str, Array]


class Recorder:
    """A plugin of pytest: in the place of a check it takes down what the check is handed."""

    def __init__(self) -> None:
        self.found: list[Golden] = []
        self.name = ""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.name = item.nodeid.removeprefix("tests/")
        module = item.module  # type: ignore[attr-defined]
        if module.__name__.endswith("test_tensorflow_golden"):
            module.assert_close = lambda seen, program, dtype: self.take(
                program.graph, program.feeds, program.expected, dtype
            )
        if module.__name__.endswith("test_keras_around"):
            module.check = lambda found, expected, runner: None
            case = item.callspec.params["case"]  # type: ignore[attr-defined]
            graph, feeds, expected = module.joined({case["id"]: module.program(case)})
            self.found.append(Golden(self.name, Case(graph, feeds), expected))

    def take(self, graph: unroll.Graph, feeds: Mapping[str, Array], expected: Sequence[Array], dtype: str) -> None:
        """Take down a case; its states are fed."""
        self.found.append(Golden(self.name, *golden_case(graph, feeds, expected)))

    def take_first(self, graph: unroll.Graph, case: Any, feeds: Any, expected: Any) -> None:
        """Take down the first call of a graph with states, which begin as zeros in the context."""
        zeros = {
            tensor.name: np.zeros([int(dim) for dim in tensor.shape], tensor.dtype)
            for tensor in graph.inputs
            if tensor.name in graph.states
        }
        kept = set(graph.states.values())
        names = [name for name in graph.output_names if name not in kept]
        wanted = {name: array for name, array in zip(graph.output_names, expected[0], strict=False) if name in names}
        self.found.append(Golden(self.name, Case(graph, {**feeds[0], **zeros}), wanted))


def recorded(only: str) -> list[Golden]:
    """Return the cases of all golden files."""
    recorder = Recorder()
    helpers.check_three_runners = recorder.take
    keras_programs.check_calls = recorder.take_first
    tests = [str(TESTS / test) for test in GOLDEN if only in test]
    status = pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", *tests], plugins=[recorder])
    if status:
        raise SystemExit(f"the tests of golden files cannot be run (pytest ends with {status})")
    return recorder.found


def refusal(item: Golden) -> str:
    """Say why a case cannot be written as C; empty where it can."""
    try:
        item.case.source("tried")
    except unroll.UnrollError as error:
        return str(error).replace("\n", " ")[:150]
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="gcc")
    parser.add_argument("--flags", choices=list(FLAGS), default="sanitized")
    parser.add_argument("--only", default="", help="only tests whose path holds this")
    parser.add_argument("--every", type=int, default=1, help="one case in so many")
    options = parser.parse_args()
    begun, cases = time.monotonic(), recorded(options.only)[:: options.every]
    refused = {item.name: why for item in cases if (why := refusal(item))}
    written = [item for item in cases if item.name not in refused]
    print(f"{len(written)} cases can be written, {len(refused)} cannot", flush=True)
    far, worst = {}, 0.0
    for start in range(0, len(written), TOGETHER):
        batch = written[start : start + TOGETHER]
        with tempfile.TemporaryDirectory(prefix="try-golden-") as folder:
            found = run_all([item.case for item in batch], Path(folder), FLAGS[options.flags], options.compiler)
        shares = {item.name: share(arrays, item.expected) for item, arrays in zip(batch, found, strict=True)}
        far |= {name: value for name, value in shares.items() if value > 1}
        worst = max(worst, *shares.values())
        print(f"{start + len(batch)} of {len(written)}: worst {worst:.3f} of what may be", flush=True)
    for name, why in refused.items():
        print(f"refused: {name}: {why}")
    for name, value in far.items():
        print(f"too far: {name}: {value:.3g} times what may be")
    print(
        f"{len(written)} cases in C with {options.compiler} ({options.flags}), {len(far)} too far, {len(refused)} refused, "
        f"worst {worst:.3f} of the tolerance, {time.monotonic() - begun:.0f} s"
    )
    return 1 if far or any("float16" not in why for why in refused.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
