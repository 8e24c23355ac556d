"""What is chosen in a random program: every choice has a name and is drawn for itself, so that a new one redraws no other."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np


class Choices:
    """The choices of one program, drawn from its number; each is kept by name, to be said where the program fails.

    A choice is decided by a hash of the program's number, the choice's name and the option (rendezvous hashing): another
    choice changes none of the programs that do not take it, and another option none of those that do not draw it.

    Args:
        number: the program.
        given: options by name of choice that are taken instead of those drawn, to make a failing program smaller.
    """

    def __init__(self, number: int, given: Mapping[str, str] | None = None) -> None:
        self.number = number
        self.given = dict(given or {})
        self.made: dict[str, str] = {}
        self.plain: dict[str, str] = {}  #: what each choice would be in the simplest program

    def pick(self, name: str, options: Mapping[str, float] | Sequence[str]) -> str:
        """Return one of the options, the first of which is the plainest; a mapping gives how often each is taken."""
        weights = options if isinstance(options, Mapping) else dict.fromkeys(options, 1.0)
        found = self.given.get(name)
        if found not in weights:
            found = max(weights, key=lambda option: -weights[option] / math.log(self._share(f"{name}={option}")))
        self.made[name], self.plain[name] = found, next(iter(weights))
        return found

    def quirk(self, name: str, options: Mapping[str, float]) -> str:
        """As `pick`; but one program in three has few quirks and one in three hardly any, for many at once hide each other."""
        calm = float(self.pick("calm", ("20", "5", "1")))
        first = next(iter(options))
        return self.pick(name, {**options, first: options[first] * calm})

    def whole(self, name: str, low: int, high: int) -> int:
        """Return an int of ``low .. high``; `low` is the plainest."""
        return int(self.pick(name, [str(value) for value in range(low, high + 1)]))

    def flag(self, name: str, share: float = 0.5) -> bool:
        """Return True in a share of the programs."""
        return self.pick(name, {"no": 1 - share, "yes": share}) == "yes"

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator of its own for the values that `name` needs."""
        return np.random.default_rng(int.from_bytes(self._digest(f"values of {name}")[:8]))

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.number}/{text}".encode()).digest()

    def _share(self, text: str) -> float:
        """Return a number between 0 and 1, neither of them."""
        return (int.from_bytes(self._digest(text)[:7]) + 0.5) / 2**56

    def __str__(self) -> str:
        chosen = [f"{name}={option}" for name, option in self.made.items() if option != self.plain[name]]
        return f"program {self.number}: {', '.join(chosen) or 'plain'}"


def option_names(choices: Choices) -> list[tuple[str, str]]:
    """Return each choice made, without the layer that it is for: ``l0b/cell`` is ``cell``."""
    return [(re.sub(r"^l\d+b?/", "", name), option) for name, option in choices.made.items()]
