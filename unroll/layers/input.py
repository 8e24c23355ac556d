"""The input of a model: its shape, its dtype and its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy.typing as npt

from unroll.checks import check_size
from unroll.dimensions import TIME
from unroll.dtypes import as_dtype
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.layers.arguments import Recorded
from unroll.layers.configs.reading import made_from
from unroll.layers.sublayers import described_shape
from unroll.layers.symbolic import Call, KerasTensor
from unroll.scopes import check_name
from unroll.tensor import Placeholder, placeholder


class Input(Recorded, KerasTensor):
    """The input of a model: Keras 3's ``Input``. Layers are called on it, or it stands first in a `Sequential`.

    Args:
        shape: the input's axes beyond the batch, None for one that is not known: ``(None, 5)`` is any time, 5 features.
        batch_size: the batch size, where it is fixed, as stateful layers need it.
        dtype: of the input; float32 by default.
        sparse: refused.
        ragged: refused.
        batch_shape: instead of `shape` and `batch_size`, the two in one.
        name: of the graph's input; ``input_layer`` by default.
        tensor: refused.
        optional: refused.

    Attributes:
        shape: the shape with the batch, None for what is not known.

    Raises:
        ArgumentError: no shape, or two.
        UnsupportedError: an argument that is refused is given.

    Example:
        >>> model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(13)])
        >>> model.trace().inputs[0].shape
        (batch, 7, 5)
    """

    REFUSED: ClassVar[dict[str, str]] = {
        "batch_input_shape": "Keras 3 calls it batch_shape: Input(batch_shape=(None, 28, 3))",
        "input_shape": "Keras 3 calls it shape: Input((28, 3)), without the batch",
        "sparse": "a tensor holds every element; give a dense array",
        "ragged": "rows have one length; pad them, and mask what is padded",
        "tensor": "call the model on the tensor: model(x)",
        "optional": "every input of a graph is fed",
    }

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: npt.DTypeLike | None = None,
        sparse: None = None,
        ragged: None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        tensor: None = None,
        optional: bool = False,
    ) -> None:
        if (shape is None) == (batch_shape is None) or (batch_size is not None and batch_shape is not None):
            raise ArgumentError("Input: give shape, and batch_size where it is fixed; or batch_shape alone")
        given = batch_shape if batch_shape is not None else (batch_size, *_sequence(shape))
        sizes = [None if dim is None else check_size(dim, f"Input: a size of {given}") for dim in _sequence(given)]
        self._name = None if name is None else check_name(name, "Input")
        kind = as_dtype("float32" if dtype is None else dtype, "Input")
        dims = [TIME if axis == 1 and dim is None else dim for axis, dim in enumerate(sizes)]
        made_by = Call(self, (), {})
        made_by.outputs.append(self)
        KerasTensor.__init__(self, placeholder(dims, self.name, kind), made_by)

    @property
    def name(self) -> str:
        """The name of the graph's input; a model numbers those of several inputs without one."""
        return "input_layer" if self._name is None else self._name

    def get_config(self) -> dict[str, Any]:
        """Return what the input is made with as plain data, by Keras's names."""
        config = {"batch_shape": list(self.shape), "dtype": str(self.dtype), "sparse": False, "ragged": False}
        return {**config, "name": self.name, "optional": False}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return an input made with what `get_config` gave, here or in Keras; see `Layer.from_config`."""
        return made_from(cls, config)

    def placeholder(self, name: str, batch: int | None = None, time: int | str | None = None) -> Placeholder:
        """Return an input of a graph for it.

        Args:
            name: its name.
            batch: the batch size, where it is open here.
            time: the size of axis 1, where it is open here: a number or a symbol.

        Returns:
            A placeholder of its shape and dtype.
        """
        given = [batch, time]
        sizes = [given[axis] if dim is None and axis < 2 else dim for axis, dim in enumerate(self.shape)]
        return placeholder(sizes, name, self.dtype)

    def __repr__(self) -> str:
        return f"Input({described_shape(self.shape)}, {self.dtype}, name={self.name!r})"


def _sequence(shape: Any) -> Sequence[int | None]:
    if not isinstance(shape, (tuple, list)):
        raise ArgumentTypeError(f"Input: shape is {shape!r}; a tuple such as (None, 5) is wanted")
    return shape
