"""Checking what is fed to a run, the same for every runner: names, dtypes, shapes, and one value for every symbol."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dimensions import Dimension, Least, Limit, Requirement, Shape, bind, shape_text, substitute, symbol
from unroll.dtypes import Array, DType, cast_array
from unroll.errors import ArgumentTypeError, FeedError, ShapeError, UnsupportedError
from unroll.tensor import Placeholder, Tensor
from unroll.words import closest


class InputSpec(NamedTuple):
    """What one input of a graph or model takes."""

    name: str
    shape: Shape
    dtype: DType
    limits: tuple[Limit, ...] = ()

    def at(self, sizes: Mapping[str, int]) -> InputSpec:
        """Return what it takes at sizes: limits that are sizes become numbers."""
        return self._replace(limits=tuple(item._replace(most=substitute(item.most, sizes)) for item in self.limits))


def check_is_mapping(feeds: object) -> None:
    """Refuse feeds that are not a dict.

    Raises:
        ArgumentTypeError: they are not.
    """
    if not isinstance(feeds, Mapping):
        raise ArgumentTypeError(f"feeds: a dict {{input: array}} is wanted, not {type(feeds).__name__}")


def check_feeds(
    inputs: Sequence[InputSpec], feeds: Mapping[Any, Any], residual: Iterable[Requirement | Least] = ()
) -> dict[str, Array]:
    """Return ``{input name: array of the input's dtype}``, checked against the inputs and each other.

    Args:
        inputs: what is to be fed.
        feeds: arrays (or lists, or numbers) by Placeholder or name.
        residual: equalities of dimensions, and least sizes, that only the sizes fed can decide.

    Raises:
        FeedError: an input is missing, or something is fed that is not an input.
        ShapeError: an array has another shape than its input, or two disagree on a symbolic dimension.
        DTypeError: an array cannot be cast safely.
        FeedError: a value lies outside the limits of its input.
    """
    check_is_mapping(feeds)
    specs = {spec.name: spec for spec in inputs}
    arrays: dict[str, Array] = {}
    for name, key in fed_names(feeds, specs).items():
        if isinstance(key, Tensor) and not isinstance(key, Placeholder):
            raise FeedError(f"{key!r} is not a placeholder, so it cannot be fed; feed {', '.join(specs) or 'nothing'}")
        if name not in specs:
            raise FeedError(f"feeds hold {name!r}, which is no input; {closest(str(name), specs)}")
        spec = specs[name]
        arrays[name] = cast_array(feeds[key], spec.dtype, f"feed {name!r}")
        if arrays[name].ndim != len(spec.shape):
            raise ShapeError(
                f"feed {name!r}: shape {shape_text(arrays[name].shape)} was given, {shape_text(spec.shape)} is wanted"
            )
    missing = [name for name in specs if name not in arrays]
    if missing:
        raise FeedError(f"feeds lack {', '.join(map(repr, missing))}; every input of the graph must be fed")
    sizes = bind(
        (
            (dim, size, f"feed {spec.name!r} of shape {shape_text(arrays[spec.name].shape)}, axis {axis}")
            for spec in inputs
            for axis, (dim, size) in enumerate(zip(spec.shape, arrays[spec.name].shape, strict=True))
        ),
        residual,
    )
    for spec in inputs:
        _check_limits(spec, arrays[spec.name], sizes)
    return {spec.name: arrays[spec.name] for spec in inputs}


def fed_names(feeds: Mapping[Any, Any], names: Container[str], what: str = "feeds hold") -> dict[Any, Any]:
    """Return under which key of `feeds` each input stands: by placeholder, or by name, with or without TensorFlow's ``:0``.

    Args:
        feeds: what is fed.
        names: the inputs; other things that are fed are returned too.
        what: how the message begins.

    Raises:
        FeedError: two keys are one input.
    """
    found: dict[Any, Any] = {}
    for key in feeds:
        name = key.name if isinstance(key, Placeholder) else key
        if isinstance(name, str) and name not in names:
            name = f"{name}:0" if f"{name}:0" in names else name.removesuffix(":0")
        if name in found:
            raise FeedError(f"{what} {name!r} twice, {_shown(found[name])} and {_shown(key)}; give it once")
        found[name] = key
    return found


def _shown(key: object) -> str:
    return "by placeholder" if isinstance(key, Placeholder) else f"as {key!r}"


class _Kind(NamedTuple):
    """What was fed under a key: to which input, and of which dtype and shape."""

    name: str
    dtype: DType
    shape: tuple[int, ...]


class FeedChecker:
    """`check_feeds` for feeding again and again: dtypes and shapes that were right once are not checked again.

    Args:
        inputs: what is to be fed.
        residual: equalities of dimensions, and least sizes, that only the sizes fed can decide.
        no_empty: why arrays without elements are refused, and the fix; empty where they are not.
    """

    def __init__(
        self, inputs: Sequence[InputSpec], residual: Iterable[Requirement | Least] = (), *, no_empty: str = ""
    ) -> None:
        self._inputs, self._residual, self._no_empty = inputs, tuple(residual), no_empty
        self._by_values = any(spec.limits for spec in inputs)
        self._seen: dict[Any, _Kind] = {}

    def check(self, feeds: Mapping[Any, Any]) -> dict[str, Array]:
        """Return what `check_feeds` returns, and raise what it raises.

        Raises:
            UnsupportedError: an array has no elements, and the runner cannot take that.
        """
        seen = self._seen
        if type(feeds) is dict and len(feeds) == len(seen) > 0:
            known: dict[str, Array] = {}
            for key, array in feeds.items():
                kind = seen.get(key)
                if kind is None or type(array) is not np.ndarray:
                    break
                if array.dtype != kind.dtype or array.shape != kind.shape:
                    break
                known[kind.name] = array
            else:
                return known
        arrays = check_feeds(self._inputs, feeds, self._residual)
        if self._no_empty:
            self._refuse_empty(arrays)
        if not self._by_values:
            self._seen = self._kinds(feeds, arrays)
        return arrays

    def _refuse_empty(self, arrays: Mapping[str, Array]) -> None:
        for name, array in arrays.items():
            if not array.size:
                raise UnsupportedError(f"feed {name!r} of shape {shape_text(array.shape)} is empty: {self._no_empty}")

    @staticmethod
    def _kinds(feeds: Mapping[Any, Any], arrays: Mapping[str, Array]) -> dict[Any, _Kind]:
        names = fed_names(feeds, arrays)
        return {key: _Kind(name, arrays[name].dtype, arrays[name].shape) for name, key in names.items()}


def bound_sizes(inputs: Sequence[InputSpec], feeds: Mapping[Any, Any]) -> dict[str, int]:
    """Return the number each symbol stands for, as far as some of the feeds decide it; feeds that do not fit are passed
    over.
    """
    arrays = {key.name if isinstance(key, Placeholder) else key: np.shape(value) for key, value in feeds.items()}
    known: dict[str, int] = {}
    for spec in inputs:
        shape = arrays.get(spec.name, arrays.get(f"{spec.name}:0", ()))
        if len(shape) == len(spec.shape):
            for dim, size in zip(spec.shape, shape, strict=True):
                if isinstance(dim, Dimension) and len(dim.symbols) == 1 and dim == symbol(next(iter(dim.symbols))):
                    known.setdefault(next(iter(dim.symbols)), size)
    return known


def _check_limits(spec: InputSpec, array: Array, sizes: Mapping[str, int]) -> None:
    for limit, known in zip(spec.limits, spec.at(sizes).limits, strict=True) if array.size else ():
        low, high = array.min(), array.max()
        if low < limit.least or (isinstance(known.most, int) and high > known.most):
            shown = str(known.most) if known == limit else f"{limit.most} = {known.most}"
            raise FeedError(
                f"feed {spec.name!r}: {low if low < limit.least else high} was given, {limit.least} to {shown} is wanted "
                f"({limit.where})"
            )
