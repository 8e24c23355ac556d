"""How the first value of a Parameter is drawn: Keras's initialisers, which TensorFlow 1's cells use too.

An initialiser is called with (shape, dtype, variable name, seed) and returns an array. Each Parameter has a generator
of its own, seeded by its name (and the user's seed): the same program always gives the same values, and two layers of
one shape do not get equal ones. The distributions are Keras's and TensorFlow's; the numbers are not. What else a user may
give is made one of these by `get_initializer`, which every cell, layer and scope calls.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from unroll.arguments import check_constructor
from unroll.checks import check_choice, check_int, check_number
from unroll.dimensions import Shape, shape_text
from unroll.dtypes import Array, DType, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.foreign_names import INITIALIZERS as INITIALIZERS_ELSEWHERE
from unroll.given_initializers import Given
from unroll.words import closest, face

#: Draws the first value of a Parameter: (shape, dtype, variable name, seed or None) -> array.
Draw = Callable[[Shape, DType, str, "int | None"], Array]
#: What cells, layers and scopes take as an initialiser; see `get_initializer`.
InitializerLike: TypeAlias = "str | Callable[..., Any] | Array | Sequence[Any] | float | Mapping[str, Any]"


def generator(name: str, seed: int | None) -> np.random.Generator:
    """Return the generator for a Parameter: seeded by the SHA-256 of its name and the user's seed."""
    text = name if seed is None else f"{name}\n{seed}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"))


class Constant:
    """Every element is `value`."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_number(value, "Constant: value")

    def __call__(self, shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        """Return the first value of the Parameter `name`."""
        return np.full(_sizes(shape), cast_array(self.value, dtype, f"{name}: Constant"))


class Zeros(Constant):
    """All zeros."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """All ones."""

    def __init__(self) -> None:
        super().__init__(1.0)


class Identity:
    """`gain` times the identity matrix; of a matrix that is not square, ones on the main diagonal.

    Raises:
        ShapeError: when called for a shape that is not a matrix's.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check_number(gain, "Identity: gain")

    def __call__(self, shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        """Return the first value of the Parameter `name`."""
        sizes = _sizes(shape)
        if len(sizes) != 2:
            raise ShapeError(
                f"{name}: Identity draws matrices, and {shape_text(shape)} is no matrix; use another initializer"
            )
        return np.asarray(self.gain * np.eye(sizes[0], sizes[1]), dtype)


class RandomInitializer:
    """Base class of what is drawn at random.

    Args:
        seed: instead of the seed of the scope; either is mixed with the Parameter's name, so that two weights with one
            initialiser differ (Keras would give them equal numbers).
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else check_int(seed, f"{type(self).__name__}: seed")

    def __call__(self, shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        """Return the first value of the Parameter `name`."""
        random = generator(name, seed if self.seed is None else self.seed)
        return cast_array(self.draw(random, _sizes(shape), name), dtype, f"{name}: {type(self).__name__}")

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        """Return an array of these sizes.

        Raises:
            ShapeError: what is drawn cannot have such a shape.
        """
        raise NotImplementedError(f"{type(self).__name__}.draw")


class RandomNormal(RandomInitializer):
    """Normal, of this mean and standard deviation.

    Raises:
        ArgumentError: `stddev` is below 0.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        what = type(self).__name__
        self.mean, self.stddev = check_number(mean, f"{what}: mean"), check_number(stddev, f"{what}: stddev")
        if self.stddev < 0:
            raise ArgumentError(f"{what}: stddev is {stddev}; a number of at least 0 is wanted")

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        return random.normal(self.mean, self.stddev, sizes)


class TruncatedNormal(RandomNormal):
    """Normal, with what lies more than two standard deviations from the mean drawn again."""

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        return self.mean + self.stddev * _truncated(random, sizes)


class RandomUniform(RandomInitializer):
    """Uniform between `minval` and `maxval`.

    Raises:
        ArgumentError: `minval` is above `maxval`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        low, high = (
            check_number(value, f"RandomUniform: {name}") for name, value in (("minval", minval), ("maxval", maxval))
        )
        if low > high:
            raise ArgumentError(f"RandomUniform: minval {minval} is above maxval {maxval}; swap them")
        self.minval, self.maxval = low, high

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        return random.uniform(self.minval, self.maxval, sizes)


class VarianceScaling(RandomInitializer):
    """Of variance ``scale / n``, where n is the fan that `mode` says: Glorot and Bengio 2010, He et al. 2015 and others.

    A matrix has its rows as inputs and its columns as outputs; the axes before the last two, as convolutions have, count
    for both.

    Args:
        scale: above zero.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
        seed: see `RandomInitializer`.
        input_axes: the axes that count as inputs, where `output_axes` is given too.
        output_axes: the axes that count as outputs.

    Raises:
        ArgumentError: `scale` is not above 0, or an unknown mode or distribution.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in",
        distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale = check_number(scale, "VarianceScaling: scale")
        if self.scale <= 0:
            raise ArgumentError(f"VarianceScaling: scale is {scale}; a number above 0 is wanted")
        self.mode = check_choice(mode, ("fan_in", "fan_out", "fan_avg"), "VarianceScaling: mode")
        kinds = ("truncated_normal", "untruncated_normal", "uniform")
        self.distribution = check_choice(distribution, kinds, "VarianceScaling: distribution")
        self.input_axes = _axes(input_axes, "VarianceScaling: input_axes")
        self.output_axes = _axes(output_axes, "VarianceScaling: output_axes")

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        fan_in, fan_out = self._fans(sizes, name)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(-limit, limit, sizes)
        if self.distribution == "untruncated_normal":
            return random.normal(0.0, math.sqrt(variance), sizes)
        return math.sqrt(variance) / _DEVIATION_WITHIN_TWO * _truncated(random, sizes)

    def _fans(self, sizes: list[int], name: str) -> tuple[int, int]:
        if self.input_axes is not None and self.output_axes is not None:
            for axis in (*self.input_axes, *self.output_axes):
                if not -len(sizes) <= axis < len(sizes):
                    raise ShapeError(f"{name}: {type(self).__name__}: the shape {tuple(sizes)} has no axis {axis}")
            return math.prod(sizes[axis] for axis in self.input_axes), math.prod(
                sizes[axis] for axis in self.output_axes
            )
        if len(sizes) < 2:
            return (sizes[0], sizes[0]) if sizes else (1, 1)
        field = math.prod(sizes[:-2])
        return field * sizes[-2], field * sizes[-1]


def _axes(axes: Sequence[int] | None, what: str) -> tuple[int, ...] | None:
    if axes is None:
        return None
    if not isinstance(axes, (list, tuple, range)):
        raise ArgumentTypeError(f"{what} is {axes!r}; a list of ints is wanted")
    return tuple(check_int(axis, what) for axis in axes)


class GlorotUniform(VarianceScaling):
    """Uniform in ``+-sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio 2010, the default of kernels."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance ``2 / (fan_in + fan_out)``: Glorot and Bengio 2010."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)


class HeUniform(VarianceScaling):
    """Uniform in ``+-sqrt(6 / fan_in)``: He et al. 2015 (arXiv:1502.01852)."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)


class HeNormal(VarianceScaling):
    """Truncated normal of variance ``2 / fan_in``: He et al. 2015 (arXiv:1502.01852)."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class LecunUniform(VarianceScaling):
    """Uniform in ``+-sqrt(3 / fan_in)``: LeCun et al. 1998."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)


class LecunNormal(VarianceScaling):
    """Truncated normal of variance ``1 / fan_in``: LeCun et al. 1998."""

    def __init__(
        self, seed: int | None = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)


class Orthogonal(RandomInitializer):
    """`gain` times a matrix of orthogonal rows or columns, whichever are fewer: Saxe et al. 2013 (arXiv:1312.6120).

    The default of recurrent kernels in Keras. The axes before the last count as rows.

    Raises:
        ShapeError: when called for a shape of fewer than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = check_number(gain, "Orthogonal: gain")

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        if len(sizes) < 2:
            raise ShapeError(
                f"{name}: Orthogonal draws matrices, and {tuple(sizes)} has fewer than two axes; use another initializer"
            )
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        q, r = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))  # without this, the matrices would not be evenly distributed
        return self.gain * (q.T if rows < columns else q).reshape(sizes)


#: Keras's names, as classes and in snake case.
INITIALIZERS: dict[str, type[Constant | Identity | RandomInitializer]] = {
    "Constant": Constant,
    "constant": Constant,
    "GlorotNormal": GlorotNormal,
    "glorot_normal": GlorotNormal,
    "GlorotUniform": GlorotUniform,
    "glorot_uniform": GlorotUniform,
    "HeNormal": HeNormal,
    "he_normal": HeNormal,
    "HeUniform": HeUniform,
    "he_uniform": HeUniform,
    "Identity": Identity,
    "identity": Identity,
    "IdentityInitializer": Identity,
    "LecunNormal": LecunNormal,
    "lecun_normal": LecunNormal,
    "LecunUniform": LecunUniform,
    "lecun_uniform": LecunUniform,
    "Ones": Ones,
    "ones": Ones,
    "one": Ones,
    "Orthogonal": Orthogonal,
    "orthogonal": Orthogonal,
    "OrthogonalInitializer": Orthogonal,
    "RandomNormal": RandomNormal,
    "random_normal": RandomNormal,
    "normal": RandomNormal,
    "RandomUniform": RandomUniform,
    "random_uniform": RandomUniform,
    "uniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal,
    "truncated_normal": TruncatedNormal,
    "VarianceScaling": VarianceScaling,
    "variance_scaling": VarianceScaling,
    "Zeros": Zeros,
    "zeros": Zeros,
    "zero": Zeros,
}

_OURS = frozenset(INITIALIZERS.values())
for _kind in dict.fromkeys(INITIALIZERS.values()):
    check_constructor(_kind)

#: The defaults of cells and layers.
ZEROS: Draw = Zeros()
ONES: Draw = Ones()
GLOROT_UNIFORM: Draw = GlorotUniform()

# Keras's names in snake case, which are the classes: ``initializers.he_normal(seed=1)``.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

__all__ = [*(name for name in INITIALIZERS if name in globals()), "get_initializer"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.initializers", __all__, lambda: INITIALIZERS_ELSEWHERE)


def get_initializer(initializer: InitializerLike, what: str) -> Draw:
    """Return what may be given as an initialiser as a function of (shape, dtype, variable name, seed).

    Args:
        initializer: a name in `INITIALIZERS`; one of the classes or an object of one; a number, for all elements; an array
            of the Parameter's shape; a function that returns one, see `unroll.given_initializers`; or Keras's
            ``{"class_name": ..., "config": {...}}``.
        what: whose initialiser it is, for messages.

    Raises:
        ArgumentError: no initialiser has that name; the message lists those that there are.
        ArgumentTypeError: none of these, or a function of other arguments.
    """
    if isinstance(initializer, Given) or type(initializer) in _OURS:
        return initializer  # type: ignore[return-value]  # is a Draw
    if isinstance(initializer, Mapping):
        return _by_name(initializer.get("class_name"), initializer.get("config") or {}, what)
    if isinstance(initializer, str):
        return _by_name(initializer, {}, what)
    if isinstance(initializer, type) and initializer in _OURS:
        made: Draw = initializer()
        return made
    if isinstance(initializer, (int, float, np.generic)) and not isinstance(initializer, (bool, np.bool_)):
        return Constant(float(check_number(initializer, what)))
    if isinstance(initializer, (np.ndarray, list, tuple)):
        return _fixed(initializer, what)
    if not callable(initializer) or isinstance(initializer, type):
        raise ArgumentTypeError(
            f"{what}: initializer {initializer!r} is neither a name, an object of unroll.initializers, a number, an array nor "
            "a function of (shape, dtype)"
        )
    return Given(initializer, what, generator)


def _by_name(name: Any, config: Any, what: str) -> Draw:
    if not isinstance(name, str) or name not in INITIALIZERS:
        known = ", ".join(name for name in INITIALIZERS if name.islower())
        near = closest(name, INITIALIZERS) if isinstance(name, str) else "a name is wanted"
        raise ArgumentError(f"{what}: no initializer is called {name!r}; {near} (there are {known})")
    try:
        return INITIALIZERS[name](**config)
    except TypeError as error:
        raise ArgumentTypeError(f"{what}: {name} does not take the config {config!r}: {error}") from None


def _fixed(value: Any, what: str) -> Draw:
    """Return an array as an initialiser; a copy, for it is read when the weight is made."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentTypeError(
            f"{what}: a list that is no array: {str(error).rstrip('.')}; give every row one length"
        ) from None
    return Constant(array.item()) if array.ndim == 0 else Given(lambda shape: array, what, generator)


#: The standard deviation of a standard normal within two of its own.
_DEVIATION_WITHIN_TWO = 0.87962566103423978


def _truncated(random: np.random.Generator, sizes: list[int]) -> Array:
    """Draw a standard normal, again wherever it lies beyond two."""
    drawn = random.standard_normal(sizes)
    while np.any(beyond := np.abs(drawn) > 2):
        drawn[beyond] = random.standard_normal(int(beyond.sum()))
    return drawn


def _sizes(shape: Shape) -> list[int]:
    return [int(dim) for dim in shape]
