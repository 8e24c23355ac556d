"""Files of Keras's and of both of torch's exporters: how many are opened, verified, flattened and re-rolled.

``python benchmarks/exporters.py`` goes through the files in ``tests/golden/exporters/`` and prints one table, and what fails.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from exporter_files import ALL_CASES, CASES, STEPS, outcomes

TOLD = {
    "keras": "Keras 3.15, `model.export`",
    "torchscript": "torch 2.13, TorchScript",
    "dynamo": "torch 2.13, default",
}


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    asked, files = (Counter(case["made_by"] for case in cases) for cases in (ALL_CASES, CASES))
    right: dict[str, Counter[str]] = {name: Counter() for name in TOLD}
    failed = []
    for case in CASES:
        for step, why in outcomes(case).items():
            right[case["made_by"]][step] += not why
            if why:
                failed.append(f"- {case['id']}, {step}: {why}")
    print(f"| exporter | networks | files that onnxruntime runs | {' | '.join(STEPS)} |")
    print("| --- |" + " --- |" * (2 + len(STEPS)))
    for name, told in TOLD.items():
        print(f"| {told} | {asked[name]} | {files[name]} | {' | '.join(str(right[name][step]) for step in STEPS)} |")
    print(*failed, sep="\n")


if __name__ == "__main__":
    main()
