"""The product ``x @ weight.T + bias``, as PyTorch stores its weights, and the module of it."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import scopes
from unroll.checks import check_flag, check_size
from unroll.nn.module import Module
from unroll.ops import gemm, matmul, transpose
from unroll.tensor import Tensor, named


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return ``x @ weight.T + bias`` of ``(..., in)``; the weight is ``(out, in)``.

    Of rows ``(n, in)`` that is one Gemm of the weight as it is stored, of one vector ``(in,)`` ``weight @ x``.
    """
    if x.rank == 2:
        return gemm(x, weight, bias, transB=True)
    product = weight @ x if x.rank == 1 else matmul(x, transpose(weight, [1, 0]))
    return product if bias is None else product + bias


class Linear(Module):
    """``x @ weight.T + bias``, as ``torch.nn.Linear``.

    Parameters: weight ``(out_features, in_features)``, bias ``(out_features,)``, each uniform in
    ``+-1 / sqrt(in_features)`` at first.

    Args:
        in_features: the width of the input.
        out_features: the width of the output.
        bias: whether there is one.
        device: None or ``"cpu"``.
        dtype: of Parameters and input; float32 by default.
        name: the module's scope; ``linear`` by default.

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> linear = nn.Linear(3, 2)
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> y = linear(x)
        >>> keys = linear.load_state_dict({"weight": [[1, 2, 3], [0, 0, 1]], "bias": [0, 1]})
        >>> unroll.Graph([x], y).run({x: [[1, 1, 1]]}, y)  # 1 + 2 + 3 + 0, and 1 + 1
        array([[6., 2.]], dtype=float32)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name, device, dtype)
        self.in_features = check_size(in_features, f"{self._what}: in_features")
        self.out_features = check_size(out_features, f"{self._what}: out_features")
        outputs = {"y": self.out_features}
        self._uniform("weight", self.in_features, {"x": self.in_features}, outputs)
        if check_flag(bias, f"{self._what}: bias"):
            self._uniform("bias", self.in_features, None, outputs)

    def __call__(self, input: Tensor) -> Tensor:
        """Return ``(..., out_features)`` of an input ``(..., in_features)``.

        Raises:
            ShapeError, DTypeError, ArgumentTypeError: the input does not fit.
        """
        self._check_input(input, self.in_features, "in_features")
        with scopes.bearing(self._bearer):
            return named(linear(input, self._weights["weight"], self._weights.get("bias")), "output")
