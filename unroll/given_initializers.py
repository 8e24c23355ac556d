"""First values that a user's function draws: what it is called with, and what it may return.

Every framework has its own: Keras calls ``(shape, dtype)``, TensorFlow 1 ``(shape, dtype, partition_info)``, and people
write ``(shape)`` or ``(shape, dtype, rng)``. An argument gets what its name says, and where the name is not known what its
place says. Arguments that have a default of their own keep it, but for dtype, seed and rng.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from unroll.checks import shown
from unroll.dimensions import Shape
from unroll.dtypes import Array, DType, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, first_line

#: What an argument is given, by its name.
_BY_NAME = {
    "shape": "shape", "size": "shape", "dtype": "dtype", "name": "name", "seed": "seed", "rng": "rng", "random": "rng",
    "generator": "rng", "random_state": "rng", "partition_info": "None", "verify_shape": "None",
}  # fmt: skip
#: What it is given by its place, by the number of arguments that must be given.
_BY_PLACE = {1: ("shape",), 2: ("shape", "dtype"), 3: ("shape", "dtype", "rng"), 4: ("shape", "dtype", "name", "seed")}
#: What replaces a default: the dtype always, the others where the default is None.
_REPLACED = ("dtype", "seed", "rng")
_WANTED = "a function of (shape), (shape, dtype), (shape, dtype, rng) or (shape, dtype, name, seed) is wanted"


class Given:
    """A user's function as an initialiser: called with what it takes, and what it returns is checked.

    Args:
        function: takes the shape as a tuple of ints, and besides it what `_BY_NAME` and `_BY_PLACE` say.
        what: whose initialiser it is, for messages.
        generator: makes the random numbers of a Parameter from its name and a seed.

    Raises:
        ArgumentTypeError: the function takes something else.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        what: str,
        generator: Callable[[str, int | None], np.random.Generator],
    ) -> None:
        self.function, self.what, self._generator = function, what, generator
        self._placed, self._named = _taken(function, what)

    def __call__(self, shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        """Return the first value of the Parameter `name`.

        Raises:
            ArgumentError: the function raised.
            ShapeError, DTypeError: it returned an array of another shape, or what cannot become one of `dtype`.
        """
        sizes = tuple(int(dim) for dim in shape)
        meanings = {*self._placed, *self._named.values()}
        given: dict[str, Any] = {"shape": sizes, "dtype": str(dtype), "name": name, "seed": seed, "None": None}
        if "name" in meanings:
            given["dtype"] = dtype  # as unroll's own initialisers have it
        elif "seed" in meanings:
            given["seed"] = int(self._generator(name, seed).integers(2**31))
        if "rng" in meanings:
            given["rng"] = self._generator(name, seed)
        try:
            drawn = self.function(
                *(given[meaning] for meaning in self._placed),
                **{argument: given[meaning] for argument, meaning in self._named.items()},
            )
        except Exception as error:
            raise ArgumentError(
                f"{name}: {self.what}: {shown(self.function)} raised {type(error).__name__} for the shape {sizes}: "
                f"{first_line(error)}"
            ) from error
        array = cast_array(drawn, dtype, f"{name}: {self.what}")
        if array.shape != sizes:
            raise ShapeError(f"{name}: {self.what}: shape {array.shape} was given, {sizes} is wanted")
        return array


def _taken(function: Callable[..., Any], what: str) -> tuple[list[str], dict[str, str]]:
    """Return what a function is called with: by place, and by name.

    Raises:
        ArgumentTypeError: it asks for something else.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C, as np.zeros is
        return ["shape", "dtype"], {}
    placed = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    needed = [item for item in placed if item.default is item.empty]
    if not placed and any(item.kind is item.VAR_POSITIONAL for item in parameters):
        return list(_BY_PLACE[4]), {}
    by_place = _BY_PLACE.get(len(needed), ())
    first = [_BY_NAME.get(item.name) or (by_place[at] if at < len(by_place) else "") for at, item in enumerate(needed)]
    if not needed and placed:  # all have defaults: the first is the shape
        needed, first = placed[:1], ["shape"]
    named = {item.name: _BY_NAME.get(item.name, "") for item in parameters if _is_given(item) and item not in needed}
    meanings = [*first, *named.values()]
    if (
        "shape" not in meanings
        or "" in meanings
        or len(set(meanings) - {"None"}) < len(meanings) - meanings.count("None")
    ):
        takes = ", ".join(str(item) for item in parameters)
        raise ArgumentTypeError(f"{what}: initializer {shown(function)} takes ({takes}); {_WANTED}")
    return first, named


def _is_given(item: inspect.Parameter) -> bool:
    """Say whether an argument that is not given by place is given by name."""
    if item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD, item.POSITIONAL_ONLY):
        return False
    meaning = _BY_NAME.get(item.name)
    if item.default is item.empty:
        return item.kind is item.KEYWORD_ONLY
    return meaning == "dtype" or (meaning in _REPLACED and item.default is None)
