"""Shapes as pictures write them: of a size that a converter has named there is only to say that it is open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from unroll import dimensions
from unroll.dimensions import Dim

#: What tf2onnx and PyTorch call a size that nobody has named: ``unk__39``, ``Concat47_dim_0``.
_MADE_UP = re.compile(r"\bunk__\d+\b|\b[A-Z]\w*\d_dim_\d+\b")


def shape_text(shape: Sequence[Dim]) -> str:
    """Return a shape as people write it: ``(batch, 5)``, ``(?, 5)``, ``(5,)``, ``()``."""
    return _MADE_UP.sub("?", dimensions.shape_text(shape))
