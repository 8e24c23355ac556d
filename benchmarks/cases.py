"""What is measured: LSTM programs at several sizes, their weights and inputs, and the outputs that all must give.

A program is the same for everyone: X (steps, batch, inputs), time first; all outputs Y (steps, batch, units) and, of one cell,
the last state h, c (batch, units). Of two cells, Y is that of the upper layer, or (steps, batch, 2 * units) of both
directions. Shapes are fixed, which is the peers' best case. This module needs NumPy alone, for the peers import it in an
environment of their own.
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
    network: str = "one"

    def __str__(self) -> str:
        text = f"{self.steps}, {self.batch}, {self.inputs}, {self.units}"
        return text if self.network == "one" else f"two {self.network}, {text}"

    @property
    def key(self) -> str:
        """The row as part of a file's name, and on a command line."""
        sizes = f"{self.steps}_{self.batch}_{self.inputs}_{self.units}"
        return sizes if self.network == "one" else f"{sizes}_{self.network}"

    @classmethod
    def parse(cls, text: str) -> Row:
        """Read ``28,1,28,13`` or ``28_1_28_13``, and ``28,1,28,13,layers`` or ``28,1,28,13,directions``."""
        steps, batch, inputs, units, *network = text.replace("_", ",").split(",")
        if len(network) > 1 or not set(network) <= {"layers", "directions"}:
            raise ValueError(text)
        return cls(int(steps), int(batch), int(inputs), int(units), *network)

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the program gives."""
        return ("Y", "h", "c") if self.network == "one" else ("Y",)

    def arrays(self) -> dict[str, Array]:
        """Return kernel (inputs + units, 4 * units) in TensorFlow's order i, j, f, o, bias (4 * units,), and X.

        Of two cells, kernel2 and bias2 are the upper layer's, or the other direction's.
        """
        random = np.random.default_rng([SEED, zlib.crc32(self.key.encode())])
        width = self.units**-0.5
        kernel = random.uniform(-width, width, (self.inputs + self.units, 4 * self.units))
        bias = random.uniform(-width, width, 4 * self.units)
        x = random.standard_normal((self.steps, self.batch, self.inputs))
        found = {"kernel": kernel, "bias": bias, "X": x}
        if self.network != "one":
            below = self.units if self.network == "layers" else self.inputs
            found["kernel2"] = random.uniform(-width, width, (below + self.units, 4 * self.units))
            found["bias2"] = random.uniform(-width, width, 4 * self.units)
        return {name: array.astype("f4") for name, array in found.items()}

    def cells(self) -> list[tuple[Array, Array]]:
        """Return kernel and bias of each cell."""
        arrays = self.arrays()
        return [(arrays[f"kernel{place}"], arrays[f"bias{place}"]) for place in ("", "2") if f"bias{place}" in arrays]

    def state_dict(self) -> dict[str, Array]:
        """Return the weights as torch's nn.LSTM has them: rows i, f, g, o; the forget bias is part of the bias."""
        found = {}
        for (kernel, bias), place in zip(
            self.cells(), ("l0", "l1" if self.network == "layers" else "l0_reverse"), strict=False
        ):
            i, j, f, o = np.split(np.concatenate([kernel, bias[None]]), 4, axis=1)
            rows = np.ascontiguousarray(np.concatenate([i, f, j, o], axis=1).T)
            rows[self.units : 2 * self.units, -1] += np.float32(FORGET_BIAS)
            below = len(kernel) - self.units
            found[f"weight_ih_{place}"] = np.ascontiguousarray(rows[:, :below])
            found[f"weight_hh_{place}"] = np.ascontiguousarray(rows[:, below:-1])
            found[f"bias_ih_{place}"] = np.ascontiguousarray(rows[:, -1])
            found[f"bias_hh_{place}"] = np.zeros(4 * self.units, "f4")
        return found

    def outputs(self) -> list[Array]:
        """Return what the program gives by the textbook, in float64."""
        x = self.arrays()["X"].astype("f8")
        first, *others = [(kernel.astype("f8"), bias.astype("f8")) for kernel, bias in self.cells()]
        y, h, c = lstm(x, *first)
        if self.network == "one":
            return [y, h, c]
        if self.network == "layers":
            return [lstm(y, *others[0])[0]]
        return [np.concatenate([y, lstm(x[::-1], *others[0])[0][::-1]], axis=2)]


def lstm(xs: Array, kernel: Array, bias: Array) -> tuple[Array, Array, Array]:
    """Return all outputs of an LSTM, and its last h and c, by the textbook."""
    h = c = np.zeros((xs.shape[1], len(bias) // 4))
    outputs = []
    for x in xs:
        i, j, f, o = np.split(np.concatenate([x, h], axis=1) @ kernel + bias, 4, axis=1)
        c = c * sigmoid(f + FORGET_BIAS) + sigmoid(i) * np.tanh(j)
        h = np.tanh(c) * sigmoid(o)
        outputs.append(h)
    return np.stack(outputs), h, c


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
#: Two cells, which the flat form computes as one.
PAIRS = tuple(Row(28, 1, *sizes, network) for sizes in ((28, 13), (64, 64)) for network in ("layers", "directions"))
LENGTHS = tuple(Row(steps, 1, 28, 13) for steps in (10, 100, 300))


class WrongError(Exception):
    """A contestant's outputs are not the textbook's: nothing is timed that is wrong."""


def check(row: Row, found: list[Array]) -> None:
    """Raise WrongError unless the outputs (whatever axes of 1 they have) are the textbook's."""
    for what, seen, wanted in zip(row.output_names, found, row.outputs(), strict=True):
        worst = float(np.max(np.abs(np.asarray(seen, "f8").reshape(wanted.shape) - wanted)))
        if not worst < 2e-5:
            raise WrongError(f"{what} is off by {worst:.2g}")
