"""The rows of an image through an LSTM: 28 steps of 28 pixels.

Runs on real handwritten digits where scikit-learn is installed (``pip install scikit-learn``), and on generated
rows where it is not.
"""

import numpy as np
import numpy.typing as npt

import unroll


def image_rows() -> unroll.Graph:
    """784 pixels cut into 28 rows, traced through a BasicLSTMCell of 13 units: kernel (41, 52), bias (52,)."""
    X = unroll.placeholder([None, 784], name="X")
    images = unroll.ops.reshape(X, [-1, 28, 28])
    rows_first = unroll.ops.transpose(images, [1, 0, 2])
    rows = unroll.ops.reshape(rows_first, [-1, 28])
    steps = unroll.ops.split(rows, 28)
    outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(13), list(steps))
    return unroll.Graph(inputs=[X], outputs=[outputs, state])


def digits(count: int = 8) -> npt.NDArray[np.float64]:
    """Return the first handwritten digits of scikit-learn's bundled set, resized to 28 x 28, as (count, 784) in 0 .. 1.

    Raises ImportError where scikit-learn is not installed.
    """
    from scipy.ndimage import zoom  # comes with scikit-learn
    from sklearn.datasets import load_digits  # which unroll itself does without

    images = load_digits().images[:count] / 16.0
    return np.asarray(zoom(images, (1, 3.5, 3.5), order=1)).reshape(count, 784)


def generated(count: int = 8) -> npt.NDArray[np.float64]:
    """Return generated images of as many rows, where there are no digits to be had."""
    return np.random.default_rng(0).uniform(0, 1, (count, 784))


def main() -> None:
    graph = image_rows()
    print(graph.parameters)
    try:
        images = digits()
    except ImportError:
        print("no scikit-learn: pip install scikit-learn for real digits; going on with generated rows")
        images = generated()
    outputs = graph.run({"X": images})
    print(f"{len(graph.outputs) - 2} outputs, the last of shape {outputs[graph.output_names[27]].shape}")
    print(unroll.verify(graph, {"X": images}))


if __name__ == "__main__":
    main()
