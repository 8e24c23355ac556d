"""Random graphs through C against NumPy, about 50 an executable; with --odd, NaN, infinities and denormals among all numbers.

    python tests/export/c/try_random.py [--count 500] [--odd] [--compiler clang] [--flags fast] [--first 0]

As many graphs of float32 and as many of float64. The exit status is 1 where a number is too far.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from c_running import run_all, worst
from test_random_graphs import random_case
from try_golden import FLAGS, TOGETHER

import unroll


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--odd", action="store_true")
    parser.add_argument("--compiler", default="gcc")
    parser.add_argument("--flags", choices=list(FLAGS), default="sanitized")
    options = parser.parse_args()
    begun, far, worst_share, refused = time.monotonic(), {}, 0.0, {}
    for dtype in ("float32", "float64"):
        seeds = range(options.first, options.first + options.count)
        for start in range(0, options.count, TOGETHER):
            cases = {}
            for seed in seeds[start : start + TOGETHER]:
                case = random_case(seed, dtype, options.odd)
                try:
                    case.source("tried")
                except unroll.UnrollError as error:
                    refused[seed, dtype] = error
                else:
                    cases[seed, dtype] = case
            with tempfile.TemporaryDirectory(prefix="try-random-") as folder:
                found = run_all(list(cases.values()), Path(folder), FLAGS[options.flags], options.compiler)
            shares = {key: worst(case, arrays) for (key, case), arrays in zip(cases.items(), found, strict=True)}
            far |= {key: value for key, value in shares.items() if value > 1}
            worst_share = max(worst_share, *shares.values())
            print(f"{dtype}: {start + len(cases)}, {len(far)} too far", flush=True)
    for key, share in far.items():
        print(f"too far: {key}: {share:.3g} times what may be")
    for key, error in refused.items():
        print(f"refused: {key}: {error}")
    print(
        f"{2 * options.count} graphs in C with {options.compiler} ({options.flags}{', odd' * options.odd}), {len(far)} too "
        f"far, {len(refused)} refused, worst {worst_share:.3f} of the tolerance, {time.monotonic() - begun:.0f} s"
    )
    return 1 if far or refused else 0


if __name__ == "__main__":
    sys.exit(main())
