"""Cells whose weights are concatenated kernels: rows ``[x; h]``, one block of columns a gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from unroll import scopes
from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import UnitCell
from unroll.checks import check_text, shown
from unroll.dtypes import FLOAT64, Array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, NotMadeError, ShapeError, UnsupportedError
from unroll.initializers import ZEROS, Draw
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named

Layout = Literal["in_out", "out_in"]


class Kernel(NamedTuple):
    """One concatenated kernel of a cell, with its bias.

    Attributes:
        scope: the path of its variables within the cell; empty for the cell itself.
        gates: the gates of its column blocks, left to right.
        bias: how its bias is drawn first.
    """

    scope: str
    gates: tuple[str, ...]
    bias: Draw = ZEROS

    @property
    def kernel_name(self) -> str:
        """The name of the kernel within the cell."""
        return scopes.join(self.scope, "kernel")

    @property
    def bias_name(self) -> str:
        """The name of the bias within the cell."""
        return scopes.join(self.scope, "bias")


class Weight:
    """A Parameter of a cell as its attribute: ``cell.kernel``.

    Raises:
        NotMadeError: it is read before the cell's first call, which makes it.
        ArgumentError: it is set.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, cell: None, owner: type) -> Weight: ...
    @overload
    def __get__(self, cell: GatedCell, owner: type) -> Parameter: ...

    def __get__(self, cell: GatedCell | None, owner: type) -> Weight | Parameter:
        return self if cell is None else cell.weight(self.name)

    def __set__(self, cell: GatedCell, value: object) -> None:
        raise ArgumentError(
            f"{cell.name}: {self.name!r} is a Parameter, which graphs share; change its value with .assign(array), "
            "or use cell.set_weights(...)"
        )


class GatedCell(UnitCell):
    """A cell of `num_units` units whose weights are the kernels that the class lists in `kernels`.

    The arguments are in TensorFlow's order; each cell's own docstring says what they are.

    Attributes:
        kernels: the concatenated kernels.
        gate_aliases: other frameworks' letters for the gates, accepted in ``set_weights(gate_order=...)``.
        foreign_gates: letters of gates that this cell does not have, with the reason why their weights cannot be taken.
    """

    kernels: ClassVar[tuple[Kernel, ...]]
    gate_aliases: ClassVar[Mapping[str, str]] = {}
    foreign_gates: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        num_units: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        self.activation = get_activation(activation, "tanh", type(self).__name__)
        self.kernel_initializer: Draw | None = None
        self.bias_initializer: Draw | None = None
        self._given: dict[str, Array] = {}

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates of all kernels, in this cell's order."""
        return tuple(gate for kernel in self.kernels for gate in kernel.gates)

    def check_input(self, inputs: Any) -> Tensor | None:
        main = super().check_input(inputs)
        width = int(inputs.shape[-1])
        kernel = self.kernels[0].kernel_name
        made: Any = self.weights.get(kernel)
        rows = int(made.shape[0]) if made is not None else len(self._given[kernel]) if kernel in self._given else None
        if rows is not None and rows != width + self.output_size:
            raise ShapeError(
                f"{self.name}: the input {inputs.described()} has {width} features, but the cell's kernel is for "
                f"{rows - self.output_size}; a cell is reused only with inputs of one width. Make a second cell"
            )
        return main

    def weights_for(self, inputs: Tensor, kernel: Kernel) -> tuple[Parameter, Parameter]:
        """Return the kernel ``(input + units, gates * units)`` and bias ``(gates * units,)``, made on the first call."""
        made = self.weights
        if kernel.kernel_name in made:  # every step but the first
            return made[kernel.kernel_name], made[kernel.bias_name]
        columns = dict.fromkeys(kernel.gates, self.num_units)
        rows = {"x": inputs.shape[-1], "h": self.output_size}
        given, dtype = self._given, inputs.dtype
        return (
            self.add_weight(
                kernel.kernel_name,
                initializer=self.kernel_initializer,
                rows=rows,
                columns=columns,
                dtype=dtype,
                value=given.get(kernel.kernel_name),
            ),
            self.add_weight(
                kernel.bias_name,
                initializer=self.bias_initializer or kernel.bias,
                columns=columns,
                dtype=dtype,
                value=given.get(kernel.bias_name),
            ),
        )

    def weight(self, name: str) -> Parameter:
        """Return a Parameter of the cell by its name within it, with or without TensorFlow's ``:0``.

        Raises:
            NotMadeError: the cell has not been called yet, so it does not know its input width.
            ArgumentTypeError: not a name.
        """
        check_text(name, f"{self.name}: weight")
        made = self.weights.get(name.removesuffix(":0"))
        if made is None:
            raise NotMadeError(
                f"{self.name}: {name!r} is made when the cell is first called, from the width of its input; call the cell "
                "or a driver such as static_rnn first, or give values with cell.set_weights(...)"
            )
        return made

    def set_weights(
        self,
        kernel: Any = None,
        bias: Any = None,
        *,
        input: Any = None,
        recurrent: Any = None,
        layout: Layout | None = None,
        gate_order: str | Sequence[str] | None = None,
    ) -> None:
        """Give the cell its weights, before its first call or after it.

        Args:
            kernel: the concatenated kernel ``(input + units, gates * units)``; for a cell of several, a dict by their
                scope: ``{"gates": ..., "candidate": ...}``.
            bias: ``(gates * units,)``, or a dict as for `kernel`; left as it is where None.
            input: instead of `kernel`, the input matrix alone: ``(input, gates * units)``, or its transpose.
            recurrent: the recurrent matrix that goes with it: ``(units, gates * units)``, or its transpose.
            layout: ``"in_out"`` where the matrices are as above, ``"out_in"`` where they are transposed, as PyTorch has
                them. Required with `input` and `recurrent`: a square matrix does not tell.
            gate_order: the order of the gates in `input`, `recurrent` and `bias` (or a single `kernel`), such as
                ``"ifgo"``; by default this cell's own.

        Another framework's LSTM adds no forget bias of its own, so it takes a cell of ``forget_bias=0.0``; PyTorch's two
        biases are added up first. PyTorch's GRU, and Keras's by default, reset after the product and this one before: no
        weights make them equal.

        Raises:
            ArgumentError: a combination of arguments that is not one of the two above, or an unknown gate or layout.
            ArgumentTypeError: `gate_order` is no string or list of strings.
            ShapeError, DTypeError: an array does not fit; nothing is changed then.
        """
        if (kernel is None) == (input is None) or (input is None) != (recurrent is None):
            raise ArgumentError(f"{self.name}: set_weights takes either kernel, or input and recurrent with a layout")
        said = layout is None or (isinstance(layout, str) and layout in ("in_out", "out_in"))
        if not said or (layout is None and input is not None):
            raise ArgumentError(
                f"{self.name}: layout {layout!r}: say 'in_out' for (input, gates * units) matrices or 'out_in' for "
                "transposed ones, as PyTorch has them; the shapes alone do not always tell"
            )
        turned = layout == "out_in"
        order = self._order(gate_order)
        if kernel is not None and (len(self.kernels) > 1 or isinstance(kernel, Mapping)):
            if gate_order is not None:
                raise ArgumentError(f"{self.name}: gate_order goes with one kernel, or with input and recurrent")
            kernels = self._by_scope("kernel", kernel)
            arrays = {name: array.T if turned else array for name, array in kernels.items()}
            arrays |= {} if bias is None else self._by_scope("bias", bias)
            self._check_scoped(arrays)
        else:
            if kernel is not None:
                whole = self._array(kernel, "kernel").T if turned else self._array(kernel, "kernel")
            else:
                parts = [self._array(input, "input"), self._array(recurrent, "recurrent")]
                parts = [part.T for part in parts] if turned else parts
                self._check_columns(parts[0], None, "input")
                self._check_columns(parts[1], self.output_size, "recurrent")
                whole = np.concatenate(parts)
            self._check_columns(whole, None, "kernel")
            arrays = self._distribute(whole, None if bias is None else self._array(bias, "bias"), order)
        self._store(arrays)

    def _array(self, value: Any, what: str) -> Array:
        return cast_array(value, FLOAT64, f"{self.name}: {what}")

    def _check_columns(self, array: Array, rows: int | None, what: str) -> None:
        columns = len(self.gates) * self.num_units
        least = self.output_size + 1 if what == "kernel" else 1
        fits = array.ndim == 2 and array.shape[1] == columns and (len(array) == rows if rows else len(array) >= least)
        if not fits:
            wanted = f"({rows or ('input + ' + str(self.output_size) if what == 'kernel' else 'input')}, {columns})"
            raise ShapeError(
                f"{self.name}: {what} of shape {array.shape} was given (as in_out), {wanted} is wanted: "
                f"{len(self.gates)} gate(s) {', '.join(self.gates)} of {self.num_units} columns each"
            )

    def _order(self, gate_order: str | Sequence[str] | None) -> list[str]:
        if gate_order is None:
            return list(self.gates)
        if not isinstance(gate_order, (str, list, tuple)) or not all(isinstance(gate, str) for gate in gate_order):
            raise ArgumentTypeError(
                f"{self.name}: gate_order is {shown(gate_order)}; a string such as 'ifgo' is wanted"
            )
        letters = gate_order.replace(",", " ").split() if isinstance(gate_order, str) else list(gate_order)
        letters = list(letters[0]) if isinstance(gate_order, str) and len(letters) == 1 else letters
        foreign = self.foreign_gates.keys() & letters
        if foreign:
            raise UnsupportedError(f"{self.name}: gate_order {gate_order!r}: {self.foreign_gates[foreign.pop()]}")
        order = [self.gate_aliases.get(letter, letter) for letter in letters]
        if sorted(order) != sorted(self.gates):
            also = ", ".join(f"{alias} for {gate}" for alias, gate in self.gate_aliases.items())
            raise ArgumentError(
                f"{self.name}: gate_order {gate_order!r} is not an order of the gates {', '.join(self.gates)}"
                + (f" (or {also})" if also else "")
            )
        return order

    def _distribute(self, whole: Array, bias: Array | None, order: list[str]) -> dict[str, Array]:
        """Cut a kernel (and bias) over all gates, in `order`, into this cell's kernels and their own order."""
        units = self.num_units
        if bias is not None and bias.shape != (len(order) * units,):
            fix = "; add the two biases up first" if bias.shape == (2, len(order) * units) else ""
            raise ShapeError(
                f"{self.name}: bias of shape {bias.shape} was given, ({len(order) * units},) is wanted{fix}"
            )
        arrays = {}
        for spec in self.kernels:
            places = np.concatenate([np.arange(units) + order.index(gate) * units for gate in spec.gates])
            arrays[spec.kernel_name] = whole[:, places]
            if bias is not None:
                arrays[spec.bias_name] = bias[places]
        return arrays

    def _by_scope(self, kind: str, values: Any) -> dict[str, Array]:
        scoped = [spec.scope for spec in self.kernels]
        if not isinstance(values, Mapping) or sorted(values) != sorted(scoped):
            raise ArgumentError(f"{self.name}: {kind} must be a dict with one array for each of {', '.join(scoped)}")
        return {scopes.join(scope, kind): self._array(values[scope], f"{scope} {kind}") for scope in scoped}

    def _check_scoped(self, arrays: dict[str, Array]) -> None:
        """Check kernels and biases given by their scope, each against its own and the kernels against each other."""
        for spec in self.kernels:
            columns = len(spec.gates) * self.num_units
            kernel, bias = arrays.get(spec.kernel_name), arrays.get(spec.bias_name)
            if kernel is not None and (
                kernel.ndim != 2 or kernel.shape[1] != columns or len(kernel) <= self.output_size
            ):
                raise ShapeError(
                    f"{self.name}: {spec.kernel_name} of shape {kernel.shape} was given, "
                    f"(input + {self.output_size}, {columns}) is wanted"
                )
            if bias is not None and bias.shape != (columns,):
                raise ShapeError(
                    f"{self.name}: {spec.bias_name} of shape {bias.shape} was given, ({columns},) is wanted"
                )
        if len({len(array) for array in arrays.values() if array.ndim == 2}) > 1:
            raise ShapeError(f"{self.name}: the kernels must have one number of rows, input + {self.output_size}")

    def _store(self, arrays: dict[str, Array]) -> None:
        """Assign, or keep for the first call, all or none."""
        for name, array in arrays.items():
            if name in self.weights:
                self.weights[name].cast(array)
        for name, array in arrays.items():
            if name in self.weights:
                self.weights[name].assign(array)
            else:
                self._given[name] = array


def gate(name: str, function: Callable[[Tensor], Tensor], preactivation: Tensor) -> Tensor:
    """Compute a gate's value under its own scope, name it after the gate (``rnn/t3/basic_lstm_cell/f``), and return it.

    Raises:
        ShapeError: `function` does not give a tensor of the shape of `preactivation`.
    """
    if preactivation.hint is None:
        named(preactivation, f"{name}/preactivation")
    with scopes.in_gate(name):
        value = function(preactivation)
        if not isinstance(value, Tensor) or value.shape != preactivation.shape:
            seen = value.described() if isinstance(value, Tensor) else repr(value)
            raise ShapeError(
                f"gate {name}: the activation of {preactivation.described()} is {seen}; a tensor of its shape is wanted"
            )
        return value if value is preactivation else named(value, "")
