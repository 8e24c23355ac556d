"""The LSTM, checked by hand: 2 inputs, 3 units, 2 steps.

Every gate is computed with ``math`` alone, beside the graph's named gate tensors.
"""

import math

import numpy as np

import unroll

INPUTS, UNITS, STEPS = 2, 3, 2
kernel = np.array([[math.sin(row * 12 + column) / 2 for column in range(4 * UNITS)] for row in range(INPUTS + UNITS)])
bias = np.array([math.cos(column) / 10 for column in range(4 * UNITS)])
x = [[0.5, -1.0], [0.25, 2.0]]  # one sequence: x[step][feature]


def lstm() -> unroll.Graph:
    """Two steps of a BasicLSTMCell with the weights above, columns in the order i, j, f, o."""
    steps = [unroll.placeholder([1, INPUTS], name=f"x{t}") for t in range(STEPS)]
    cell = unroll.BasicLSTMCell(UNITS)
    cell.set_weights(kernel, bias)
    outputs, state = unroll.static_rnn(cell, steps)
    return unroll.Graph(inputs=steps, outputs=[outputs, state])


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def by_hand() -> dict[str, list[float]]:
    """Every gate of every step, with nothing but ``math``."""
    values: dict[str, list[float]] = {}
    c, h = [0.0] * UNITS, [0.0] * UNITS
    for t in range(STEPS):
        row = x[t] + h  # the concatenation [x, h] that the kernel multiplies
        z = [
            sum(row[k] * kernel[k][column] for k in range(INPUTS + UNITS)) + bias[column] for column in range(4 * UNITS)
        ]
        i = [sigmoid(z[u]) for u in range(UNITS)]
        j = [math.tanh(z[UNITS + u]) for u in range(UNITS)]
        f = [sigmoid(z[2 * UNITS + u] + 1.0) for u in range(UNITS)]  # the forget bias
        o = [sigmoid(z[3 * UNITS + u]) for u in range(UNITS)]
        c = [c[u] * f[u] + i[u] * j[u] for u in range(UNITS)]
        h = [math.tanh(c[u]) * o[u] for u in range(UNITS)]
        for name, value in zip("ijfoch", (i, j, f, o, c, h), strict=True):
            values[f"rnn/t{t}/basic_lstm_cell/{name}"] = value
    return values


def main() -> None:
    graph, hand = lstm(), by_hand()
    feeds = {f"x{t}": [x[t]] for t in range(STEPS)}
    computed = graph.run(feeds, fetches=list(hand))
    for name, value in zip(hand, computed, strict=True):
        print(f"{name:28} graph {np.round(value[0], 6)}  by hand {np.round(hand[name], 6)}")
        np.testing.assert_allclose(value[0], hand[name], atol=1e-6)


if __name__ == "__main__":
    main()
