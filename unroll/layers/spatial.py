"""The base of layers over the places of a sequence or an image."""

from __future__ import annotations

from typing import Any, ClassVar

from unroll.errors import ShapeError
from unroll.layers.declared import Declared


class Spatial(Declared):
    """A layer over the axes of places.

    Attributes:
        places: how many such axes there are.
    """

    places: ClassVar[int]

    @property
    def _first(self) -> int:
        """The first axis of places."""
        return 2 if getattr(self, "data_format", None) == "channels_first" else 1

    @property
    def _layout(self) -> str:
        axes = ("time",) if self.places == 1 else ("depth", "height", "width")[-self.places :]
        return f"(batch, {', '.join((*axes, 'channels') if self._first == 1 else ('channels', *axes))})"

    def _check(self, inputs: Any) -> None:
        if inputs.rank != self.places + 2:
            raise ShapeError(f"{self.described()}: the input {inputs.described()} must be {self._layout}")
