"""Owners of weights: Parameters made when first asked for, kept by name, each with its block table."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy.typing as npt

from unroll import scopes
from unroll.checks import check_size, shown
from unroll.dimensions import Dim, shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from unroll.foreign_names import MODEL
from unroll.initializers import GLOROT_UNIFORM, InitializerLike, get_initializer
from unroll.parameter import BlockTable, Parameter, parameter_dtype
from unroll.words import missing, public_names, spelled_methods

#: How many owners of weights a deep copy is within; the key of its memo.
_DEPTH = "unroll: depth"


class WeightOwner:
    """Base class of cells and layers: makes each weight once and shares it by identity from then on."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith("unroll."):
            spelled_methods(cls)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isupper()]  # what a class says of its arguments

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            own = next((vars(base)[name] for base in type(self).__mro__ if name in vars(base)), None)
            if hasattr(type(own), "__get__"):
                own.__get__(self, type(self))  # a property that raised an AttributeError of its own: it says why
            raise missing(f"{type(self).__name__!r} object", name, lambda: public_names(self), lambda: MODEL)

    if not TYPE_CHECKING:  # for which a class with a __setattr__ has every attribute

        def __setattr__(self, name: str, value: object) -> None:
            """Set an attribute.

            Raises:
                ArgumentError: it is a property of the class, which is worked out and not set.
            """
            own = getattr(type(self), name, None)
            if isinstance(own, property) and own.fset is None:
                raise ArgumentError(
                    f"{type(self).__name__}: {name!r} is a property, which is worked out and cannot be set; call an attribute "
                    "of your own something else, or define the property in your class"
                )
            super().__setattr__(name, value)

    #: Attributes that hold what calls have traced, which a copy starts without.
    _of_calls: ClassVar[tuple[str, ...]] = ()

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        """Return a copy with weights of its own, which start with the values of these: another layer for a graph."""
        made = memo[id(self)] = object.__new__(type(self))
        depth = memo.get(_DEPTH, 0)
        memo[_DEPTH] = depth + 1
        for name, value in vars(self).items():
            vars(made)[name] = type(value)() if name in self._of_calls else copy.deepcopy(value, memo)
        memo[_DEPTH] = depth
        if not depth:
            made._named_anew()
        return made

    def _named_anew(self) -> None:
        """Let graphs number the name of a copy; the parts of one keep theirs, under it."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            f"{self!r} cannot be pickled: its functions and tensors are of this process. Make it again from its arguments, and "
            "carry its weights as arrays: layer.get_weights(), module.state_dict(), graph.save_parameters(path)"
        )

    @property
    def name(self) -> str:
        """The scope of the owner."""
        raise NotImplementedError(f"{type(self).__name__}.name")

    @property
    def _called(self) -> str:
        """The name, for messages and paths: a layer's may still be numbered, unless a user has read it."""
        return self.name

    @property
    def _weights(self) -> dict[str, Parameter]:
        """The Parameters made so far, by their name within the owner (a user's class need not call ``__init__``)."""
        made: dict[str, Parameter] = self.__dict__.setdefault("_made", {})
        return made

    def _add_weight(
        self,
        name: str,
        shape: Sequence[int] | None = None,
        initializer: InitializerLike | None = None,
        *,
        rows: Mapping[str, Dim] | None = None,
        columns: Mapping[str, Dim] | None = None,
        transposed: bool = False,
        note: str = "",
        part: str = "",
        dtype: npt.DTypeLike | None = None,
        value: Array | None = None,
    ) -> Parameter:
        """Return the Parameter `name`, made when first asked for.

        Args:
            name: its name within the owner, such as ``kernel``.
            shape: its shape, unless `columns` gives it; with them, a convolution's kernel ``(*window, rows, columns)``.
            initializer: draws the first value, see `unroll.initializers.get_initializer`; by default that of the scope, else
                glorot uniform.
            rows: sources and their sizes, top to bottom: ``{"x": 28, "h": 13}``.
            columns: gates and their sizes, left to right; with `rows`, they give the shape and the block table.
            transposed: the array is stored with gates by sources, as PyTorch has it.
            note: why the blocks stand apart from the others of the cell, said beside the table.
            part: which of several cells under one scope it belongs to.
            dtype: by default float32; a cell's is that of its inputs.
            value: the first value, instead of a drawn one.

        Raises:
            ArgumentError: neither `shape` nor `columns` is given, or the initialiser raised.
            ArgumentTypeError: `initializer` is none, `shape` is no list of ints, or `rows` or `columns` is no dict.
            DTypeError: not a floating dtype, or what was drawn is not an array of numbers.
            ShapeError: what was drawn has another shape, or the weight exists with another one: the owner is reused with
                another input width.
        """
        scopes.check_name(name, f"{self._called}: a weight")
        blocks = None
        if columns is not None:
            window = tuple(self._weight_shape(name, shape or ())[:-2])
            blocks = BlockTable(
                self._blocks(name, rows or {}), self._blocks(name, columns), transposed, note, window, part
            )
            shape = blocks.shape
        if shape is None:
            raise ArgumentError(f"{self._called}: weight {name!r} needs a shape, or rows and columns")
        wanted = self._weight_shape(name, shape)
        made = self._weights.get(name)
        if made is None:
            scope = scopes.current()
            full, kind = scopes.join(scope.variables, name), parameter_dtype("float32" if dtype is None else dtype)
            chosen = scope.initializer or GLOROT_UNIFORM if initializer is None else initializer
            draw = get_initializer(chosen, "initializer")
            first = draw(wanted, kind, full, scope.seed) if value is None else value
            made = self._weights[name] = Parameter(first, name, kind, blocks=blocks)
            if value is None:
                made.drawn_by(lambda numbered: draw(wanted, kind, numbered, scope.seed))
        elif made.shape != wanted:
            raise ShapeError(
                f"{self._called}: weight {made.label!r} has shape {shape_text(made.shape)}, and this call needs "
                f"{shape_text(wanted)}; it is reused only with inputs of one width. Make a "
                "second cell or layer"
            )
        return made

    def _weight_shape(self, name: str, shape: Any) -> tuple[int, ...]:
        """Return the shape of a weight, checked.

        Raises:
            ArgumentError, ArgumentTypeError: not a list of ints of at least 0.
        """
        if not isinstance(shape, (list, tuple)):
            raise ArgumentTypeError(
                f"{self._called}: weight {name!r}: shape is {shown(shape)}; a tuple of ints is wanted"
            )
        return tuple(check_size(dim, f"{self._called}: weight {name!r}: a size", least=0) for dim in shape)

    def _blocks(self, name: str, blocks: Any) -> tuple[tuple[str, int], ...]:
        if not isinstance(blocks, Mapping):
            raise ArgumentTypeError(
                f"{self._called}: weight {name!r}: rows and columns are dicts such as {{'x': 28, 'h': 13}}, not {shown(blocks)}"
            )
        what = f"{self._called}: weight {name!r}: the size of block"
        return tuple((str(key), check_size(size, f"{what} {key!r}", least=0)) for key, size in blocks.items())
