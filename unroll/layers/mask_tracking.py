"""Which tensor has a mask: a bool tensor ``(batch, time)``, true where a step counts.

A mask follows a tensor from layer to layer by itself. The mapping is weak: a tensor that is gone takes its mask with it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from unroll import nest
from unroll.tensor import Tensor

_masks: WeakKeyDictionary[Tensor, Any] = WeakKeyDictionary()


def mask_of(inputs: Any) -> Any:
    """Return the mask of a tensor, or that of the first tensor of a nest; None where it has none."""
    leaves = nest.flatten(inputs)
    return _masks.get(leaves[0]) if leaves and isinstance(leaves[0], Tensor) else None


def set_masks(outputs: Any, masks: Any) -> None:
    """Give the tensors of a nest their masks, in order; a tensor that has one keeps it, as in Keras."""
    listed = list(masks) if isinstance(masks, (list, tuple)) else [masks]
    for tensor, mask in zip(nest.flatten(outputs), listed, strict=False):
        if isinstance(tensor, Tensor) and mask is not None:
            _masks.setdefault(tensor, mask)
