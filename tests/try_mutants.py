"""Mutants of single operators, attributes, constants and weights, and what `equivalent` says of them.

Run as a program, it tries as many as it is told: ``python tests/try_mutants.py 2000``.
"""

from __future__ import annotations

import sys

from program_mutants import apart, mutant

import unroll

#: Further apart than this is not rounding.
CLEAR = 1e-4


def judged(seed: int) -> tuple[str, bool, float]:
    """Return what a mutant is, whether it was called equal, and how far it is from what it is a mutant of."""
    found = mutant(seed)
    said = unroll.equivalent(found.original, found.changed, seed=seed)
    return f"{found.what}: {said}", bool(said), apart(found, seed)


def main(count: int) -> int:
    """Try mutants; print those that are called equal and are not, and how many of them differ at all."""
    differing = unseen = equal = 0
    for seed in range(count):
        what, said, far = judged(seed)
        differing += far > CLEAR
        equal += said
        if said and far > CLEAR:
            unseen += 1
            print(f"WRONG: {what}; outputs are {far:.3g} apart")
        if not said and far == 0 and "numbers" in what:
            print(f"differs only on feeds that were drawn: {what}")
    print(
        f"{count} mutants: {differing} compute something else, of which {unseen} were called equal; {equal} called equal"
    )
    return unseen


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])) > 0)
