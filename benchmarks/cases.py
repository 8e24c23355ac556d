"""What is measured: one LSTM program at several sizes, its weights and inputs, and the outputs that all must give.

The program is the same for everyone: X (steps, batch, inputs), time first; all outputs Y (steps, batch, units) and the last
state h, c (batch, units). Shapes are fixed, which is the peers' best case. This module needs NumPy alone, for the peers import
it in an environment of their own.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

FORGET_BIAS = 1.0
SEED = 20240229


@dataclass(frozen=True, order=True)
class Row:
    """One size of the program."""

    steps: int
    batch: int
    inputs: int
    units: int

    def __str__(self) -> str:
        return f"{self.steps}, {self.batch}, {self.inputs}, {self.units}"

    @property
    def key(self) -> str:
        """The row as part of a file's name, and on a command line."""
        return f"{self.steps}_{self.batch}_{self.inputs}_{self.units}"

    @classmethod
    def parse(cls, text: str) -> Row:
        """Read ``28,1,28,13`` or ``28_1_28_13``."""
        steps, batch, inputs, units = (int(part) for part in text.replace("_", ",").split(","))
        return cls(steps, batch, inputs, units)

    def arrays(self) -> dict[str, Array]:
        """Return kernel (inputs + units, 4 * units) in TensorFlow's order i, j, f, o, bias (4 * units,), and X."""
        random = np.random.default_rng([SEED, zlib.crc32(self.key.encode())])
        width = self.units**-0.5
        kernel = random.uniform(-width, width, (self.inputs + self.units, 4 * self.units))
        bias = random.uniform(-width, width, 4 * self.units)
        x = random.standard_normal((self.steps, self.batch, self.inputs))
        return {"kernel": kernel.astype("f4"), "bias": bias.astype("f4"), "X": x.astype("f4")}

    def outputs(self) -> list[Array]:
        """Return Y, h and c by the textbook, in float64."""
        arrays = {name: array.astype("f8") for name, array in self.arrays().items()}
        h = c = np.zeros((self.batch, self.units))
        outputs = []
        for x in arrays["X"]:
            i, j, f, o = np.split(np.concatenate([x, h], axis=1) @ arrays["kernel"] + arrays["bias"], 4, axis=1)
            c = c * sigmoid(f + FORGET_BIAS) + sigmoid(i) * np.tanh(j)
            h = np.tanh(c) * sigmoid(o)
            outputs.append(h)
        return [np.stack(outputs), h, c]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def peak_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    # Not getrusage's ru_maxrss, which begins with what the parent held.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM: memory is measured on Linux")


#: The rows of the table, and further lengths of the first one for the plot of time against T.
ROWS = tuple(
    Row(*sizes)
    for sizes in (
        (28, 1, 28, 13),
        (28, 50, 28, 13),
        (28, 1, 28, 128),
        (28, 32, 28, 128),
        (100, 1, 64, 64),
        (100, 1, 256, 512),
        (1000, 1, 28, 13),
    )
)
LENGTHS = tuple(Row(steps, 1, 28, 13) for steps in (10, 100, 300))


class WrongError(Exception):
    """A contestant's outputs are not the textbook's: nothing is timed that is wrong."""


def check(row: Row, found: list[Array]) -> None:
    """Raise WrongError unless Y, h and c (whatever axes of 1 they have) are the textbook's."""
    for what, seen, wanted in zip(("Y", "h", "c"), found, row.outputs(), strict=True):
        worst = float(np.max(np.abs(np.asarray(seen, "f8").reshape(wanted.shape) - wanted)))
        if not worst < 2e-5:
            raise WrongError(f"{what} is off by {worst:.2g}")
