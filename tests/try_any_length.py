"""Every golden case of TensorFlow's and contrib's cells over a time that is left open: ``python tests/try_any_length.py``.

The suite tries one case of each kind; see ``tests/cells/test_any_length_of_all_cells.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import contrib_programs
import tensorflow_programs
from any_length import AnyLength


def cases() -> Iterator[tuple[str, AnyLength]]:
    """Yield the cases that have a sequence in one tensor, by name."""
    for name in tensorflow_programs.CASES:
        case = tensorflow_programs.any_length(name)
        if case is not None:
            yield name, case
    for place, of_contrib in enumerate(contrib_programs.CASES):
        yield of_contrib["id"], contrib_programs.any_length(place)


def main() -> int:
    start, count, wrong = time.process_time(), 0, 0
    for name, case in cases():
        count += 1
        try:
            case.check()
        except Exception as error:
            wrong += 1
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
    print(
        f"{count} golden cases with their time left open, {wrong} wrong, {time.process_time() - start:.0f} s of processor time"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
