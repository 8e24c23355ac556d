"""The graph of a cell, layer or module that has its weights: of one step, on an input as wide as these say."""

from __future__ import annotations

from typing import Any

from unroll.checks import shown
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.graph import Graph
from unroll.subjects import over_a_sequence, parameters_of

# How large an image is that a convolution's kernel is traced on, at least.
_IMAGE = 8


def graph_of(subject: Any, what: str) -> Graph:
    """Return a graph that holds the weights of a subject.

    Args:
        subject: a Graph; or a cell, layer or module that has its weights.
        what: who asks, for messages.

    Raises:
        ArgumentTypeError: it is none of these.
        ArgumentError: it has no weights yet.
        UnrollError: it cannot be traced on such an input.
    """
    if isinstance(subject, Graph):
        return subject
    if not callable(subject) or isinstance(subject, type):
        raise ArgumentTypeError(f"{what}: a Graph, cell, layer or module is wanted, not {shown(subject)}")
    parameters = parameters_of(subject)
    if not parameters:
        name = getattr(subject, "name", type(subject).__name__)
        raise ArgumentError(f"{what}: {name} has no weights yet; call it, or a driver such as static_rnn, first")
    for item in parameters:
        blocks = item.blocks
        wide = next((size for source, size in blocks.rows if source == "x"), None) if blocks is not None else None
        if blocks is not None and wide is not None:
            image = [max(_IMAGE, size) for size in blocks.window]
            return over_a_sequence(subject, [1, 1, *image, wide], item.dtype, what)
    raise ArgumentError(
        f"{what}: how wide the input of {shown(subject)} is cannot be told from its weights; give its Graph"
    )
