"""static_rnn of two steps, beside the same network written by hand.

3 inputs, 5 units, the kernel all ones, the bias zero, both steps fed [0, 0.1, 0.2]. The outputs are tanh(0.3) and
tanh(5 tanh(0.3) + 0.3), five times each.
"""

import numpy as np

import unroll

x = np.array([[0.0, 0.1, 0.2]])


def with_static_rnn() -> unroll.Graph:
    """A BasicRNNCell traced over two steps: one kernel (8, 5), rows of x over rows of h."""
    X0 = unroll.placeholder([None, 3], name="X0")
    X1 = unroll.placeholder([None, 3], name="X1")
    cell = unroll.BasicRNNCell(num_units=5)
    (Y0, Y1), state = unroll.static_rnn(cell, [X0, X1])
    cell.kernel.assign(np.ones((8, 5)))
    return unroll.Graph(inputs=[X0, X1], outputs={"Y0": Y0, "Y1": Y1})


def by_hand() -> unroll.Graph:
    """The same network with separate matrices: Wx (3, 5) for the input, Wh (5, 5) for the output before."""
    X0 = unroll.placeholder([None, 3], name="X0")
    X1 = unroll.placeholder([None, 3], name="X1")
    Wx = unroll.Parameter(np.ones((3, 5)), name="Wx", dtype="float32")
    Wh = unroll.Parameter(np.ones((5, 5)), name="Wh", dtype="float32")
    b = unroll.Parameter(np.zeros(5), name="b", dtype="float32")
    Y0 = unroll.ops.tanh(X0 @ Wx + b)
    Y1 = unroll.ops.tanh(X1 @ Wx + Y0 @ Wh + b)
    return unroll.Graph(inputs=[X0, X1], outputs={"Y0": Y0, "Y1": Y1})


def main() -> None:
    graph = with_static_rnn()
    print(graph.parameters)
    ours, theirs = (g.run({"X0": x, "X1": x}) for g in (graph, by_hand()))
    for name in ("Y0", "Y1"):
        print(f"{name}: static_rnn {ours[name]}, by hand {theirs[name]}")
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6)


if __name__ == "__main__":
    main()
