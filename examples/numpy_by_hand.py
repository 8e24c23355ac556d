"""NumPy by hand: ten steps of ``h = tanh(Wx x + Wh h + b)`` in a loop equal the graph.

There is no batch: each step is a vector.
"""

import numpy as np
import numpy.typing as npt

import unroll

STEPS, INPUTS, UNITS = 10, 4, 8
rng = np.random.default_rng(0)
Wx, Wh, b = rng.standard_normal((UNITS, INPUTS)), rng.standard_normal((UNITS, UNITS)), rng.standard_normal(UNITS)
x = rng.standard_normal((STEPS, INPUTS))


def rnn() -> unroll.Graph:
    """The same network traced over ten vectors; its matrices are handed over transposed, as the formula has them."""
    steps = [unroll.placeholder([INPUTS], name=f"x{t}") for t in range(STEPS)]
    cell = unroll.BasicRNNCell(UNITS)
    cell.set_weights(input=Wx, recurrent=Wh, bias=b, layout="out_in")
    outputs, state = unroll.static_rnn(cell, steps)
    return unroll.Graph(inputs=steps, outputs={"h": unroll.ops.stack(outputs)})


def loop() -> npt.NDArray[np.float64]:
    """The recurrence in plain NumPy; returns (STEPS, UNITS)."""
    h, states = np.zeros(UNITS), []
    for t in range(STEPS):
        h = np.tanh(Wx @ x[t] + Wh @ h + b)
        states.append(h)
    return np.stack(states)


def main() -> None:
    ours = rnn().run({f"x{t}": x[t] for t in range(STEPS)})["h"]
    print(f"graph {ours.shape}, worst difference from the loop {np.abs(ours - loop()).max():.2g}")
    np.testing.assert_allclose(ours, loop(), atol=1e-6)


if __name__ == "__main__":
    main()
