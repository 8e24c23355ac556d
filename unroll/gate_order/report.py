"""What was found about the order of the gates, and its words."""

from __future__ import annotations

from dataclasses import dataclass

from unroll.gate_order.conventions import frameworks_of


@dataclass(frozen=True)
class GateOrderFit:
    """One way to read the weights of a cell, and how far its outputs are from what is expected.

    Attributes:
        order: the gate that each block of columns is, from left to right, in the cell's own letters.
        forget_bias: what is added to the forget gate before its sigmoid; None for a cell without one.
        error: the largest |difference| from what is expected; NaN counts as infinity.
    """

    order: tuple[str, ...]
    forget_bias: float | None
    error: float


@dataclass(frozen=True)
class GateOrder:
    """What `check_gate_order` found; true where the cell gives what is expected as it is.

    Attributes:
        cells: the variable paths of the cells whose weights were read in other orders, all in the same.
        gates: the order in which they read their weights.
        forget_bias: what they add to the forget gate; None for cells without one, and where it is only part of the bias.
        best: the way to read the weights that comes nearest; of several that fit, that of the cells themselves.
        runner_up: the next best; None where there is only one.
        also: others that fit as well: the feeds do not tell them apart.
        tried: how many ways were tried.
        tolerance: up to which error a way fits.
    """

    cells: tuple[str, ...]
    gates: tuple[str, ...]
    forget_bias: float | None
    best: GateOrderFit
    runner_up: GateOrderFit | None
    also: tuple[GateOrderFit, ...]
    tried: int
    tolerance: float

    @property
    def fits(self) -> bool:
        """Whether the best way gives what is expected, to rounding."""
        return self.best.error <= self.tolerance

    def __bool__(self) -> bool:
        return self.fits and self._is_own(self.best)

    def _is_own(self, fit: GateOrderFit) -> bool:
        return fit.order == self.gates and fit.forget_bias in (None, self.forget_bias or 0.0)

    def __str__(self) -> str:
        best = f"{self._said(self.best)}: max |difference| {self.best.error:.2g}"
        lines = [f"{', '.join(self.cells)}: fits {best}" if self.fits else f"{', '.join(self.cells)}: no order fits"]
        if not self.fits:
            lines.append(f"  best of {self.tried}: {best}; wanted: at most {self.tolerance:.2g}")
        elif self._is_own(self.best):
            lines.append("  this is how the cell reads its weights: nothing is to be changed")
        else:
            lines += self._repair()
        if self.runner_up is not None:
            lines.append(f"  next best: {self._said(self.runner_up)}: {self.runner_up.error:.2g}")
        if self.also:
            others = "; ".join(self._said(fit) for fit in self.also[:3]) + ("; ..." if len(self.also) > 3 else "")
            lines.append(
                f"  the feeds do not tell these apart, which fit as well: {others}; give more steps, or other feeds"
            )
        if not self.fits:
            lines.append("  something else differs: a transposed or another kernel, a bias, an activation, the feeds")
        return "\n".join(lines)

    def _said(self, fit: GateOrderFit) -> str:
        return ", ".join(fit.order) + ("" if fit.forget_bias is None else f", {self._bias_said(fit.forget_bias)}")

    def _bias_said(self, forget_bias: float) -> str:
        if self.forget_bias is not None:
            return f"forget bias {forget_bias:g}"
        if not forget_bias:
            return "forget gate's bias as it is"
        return f"{abs(forget_bias):g} {'added to' if forget_bias > 0 else 'taken off'} the forget gate's bias"

    def _repair(self) -> list[str]:
        """Return what is wrong with the cell, and how it is mended."""
        lines = []
        if self.best.order != self.gates:
            theirs = frameworks_of(self.best.order)
            named = " and ".join(f"{framework}'s order {', '.join(order)}" for framework, order in theirs)
            stored = named or "the order " + ", ".join(self.best.order)
            lines.append(
                f"  the weights' columns stand in {stored}, and the cell reads "
                f"them as {', '.join(self.gates)}: put them in its order, as set_weights(gate_order=...) does"
            )
        bias = self.best.forget_bias
        if bias is not None and bias != (self.forget_bias or 0.0):
            if self.forget_bias is None:
                lines.append(f"  with {self._bias_said(bias)}")
            else:
                lines.append(
                    f"  the cell adds a forget bias of {self.forget_bias:g}: make it with forget_bias={bias:g}"
                )
        return lines
