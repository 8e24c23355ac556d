"""What a Session is to those that run it in other ways, on many sequences or in place; a Session offers both itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import onnxruntime as ort

from unroll.dtypes import Array
from unroll.feeds import InputSpec


class SessionLike(Protocol):
    """As much of a Session as `unroll.run_many` and `unroll.export.Bound` need.

    Attributes:
        inputs: name, shape and dtype of each input.
    """

    inputs: list[InputSpec]

    @property
    def output_shapes(self) -> Mapping[str, Sequence[object]]:
        """The sizes of each output by its name; what is no number depends on what is fed."""

    _session: ort.InferenceSession  # another one after each `refresh`

    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]:
        """Compute all outputs."""

    def _warn_if_stale(self) -> None:
        """Warn of Parameters that were assigned since the session took its snapshot."""
