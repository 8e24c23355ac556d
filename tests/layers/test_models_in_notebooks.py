"""A model in a notebook is its picture, and its summary says what its layers give."""

from __future__ import annotations

from typing import Any

from helpers import run_python

from unroll import keras, layers


class Net(layers.Model):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.GRU(5, return_sequences=True, name="hidden")
        self.head = layers.Dense(2, name="head")

    def call(self, inputs: Any) -> Any:
        return self.head(self.hidden(inputs))


def test_a_model_is_shown_as_its_picture() -> None:
    x = keras.Input((4, 3))
    functional = keras.Model(x, layers.LSTM(2, name="memory")(x))
    net = Net()
    net.build((None, None, 3))
    for model, part in (
        (functional, "memory"),
        (keras.Sequential([x, layers.GRU(2, name="gates")]), "gates"),
        (net, "hidden"),
    ):
        shown = model._repr_mimebundle_()
        assert part in shown["image/svg+xml"]
        assert shown["text/plain"] == repr(model)


def test_a_model_that_is_not_built_is_shown_by_its_name() -> None:
    for model in (keras.Sequential(), Net()):
        assert model._repr_mimebundle_() == {"text/plain": repr(model)}


def test_graphs_are_shown_so_whatever_was_imported() -> None:
    program = (
        "from unroll import layers; x = layers.Input((2, 3)); "
        "print(*layers.Model(x, layers.GRU(2)(x)).trace()._repr_mimebundle_())"
    )
    assert "image/svg+xml" in run_python(program)


def test_the_summary_of_a_class_says_what_its_layers_give() -> None:
    net = Net()
    net.build((None, None, 3))
    for _ in range(2):  # it leaves the model as it was
        rows = {line.split()[0]: line for line in net.summary().splitlines() if "(" in line}
        assert "(None, None, 5)" in rows["hidden"] and "(None, None, 2)" in rows["head"]
    assert net.hidden.__dict__.get("_symbolic_calls", []) == []
