"""hello: one-hot characters through one cell of 2 units. Swapping the cell changes one line."""

import numpy as np
import numpy.typing as npt

import unroll

LETTERS = "helo"


def one_hot(*words: str) -> npt.NDArray[np.float32]:
    """Return words of one length as (words, letters, 4)."""
    return np.eye(4, dtype=np.float32)[[[LETTERS.index(letter) for letter in word] for word in words]]


HELLO = one_hot("hello")


def hello(words: npt.NDArray[np.float32] = HELLO, cell: unroll.RNNCell | None = None) -> unroll.Graph:
    """A graph for input of the shape of `words`."""
    X = unroll.placeholder(words.shape, name="X")
    cell = cell or unroll.BasicRNNCell(num_units=2)  # or BasicLSTMCell(2), or GRUCell(2): nothing else changes
    outputs, state = unroll.dynamic_rnn(cell, X)
    return unroll.Graph(inputs=[X], outputs={"outputs": outputs, "state": state})


def main() -> None:
    for words in (one_hot("h"), one_hot("hello"), one_hot("hello", "eolll", "lleel")):
        for cell in (unroll.BasicRNNCell(2), unroll.BasicLSTMCell(2), unroll.GRUCell(2)):
            outputs = hello(words, cell).run({"X": words})["outputs"]
            print(f"{type(cell).__name__}: {words.shape} -> {outputs.shape}")
    print(outputs)


if __name__ == "__main__":
    main()
