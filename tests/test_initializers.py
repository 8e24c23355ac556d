"""First values: the names that there are, their distributions, their seeds, and what else may draw them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused

from unroll import initializers, layers, scopes
from unroll.initializers import get_initializer

FLOAT = np.dtype("float64")


def drawn(
    initializer: Any, shape: tuple[int, ...] = (40, 60), name: str = "layer/kernel", seed: int | None = None
) -> Array:
    return get_initializer(initializer, "test")(shape, FLOAT, name, seed)


# What Keras's documentation says of each, for a matrix of 40 inputs and 60 outputs: the limit of a uniform distribution.
UNIFORM = {
    "glorot_uniform": math.sqrt(6 / 100),
    "GlorotUniform": math.sqrt(6 / 100),
    "he_uniform": math.sqrt(6 / 40),
    "lecun_uniform": math.sqrt(3 / 40),
    "random_uniform": 0.05,
    "uniform": 0.05,
}
# The standard deviation of a normal one, and after how many of the underlying ones it is cut.
NORMAL = {
    "glorot_normal": (math.sqrt(2 / 100), 2),
    "HeNormal": (math.sqrt(2 / 40), 2),
    "he_normal": (math.sqrt(2 / 40), 2),
    "lecun_normal": (math.sqrt(1 / 40), 2),
    "variance_scaling": (math.sqrt(1 / 40), 2),
    "random_normal": (0.05, None),
    "normal": (0.05, None),
}


@pytest.mark.parametrize(("name", "limit"), UNIFORM.items())
def test_a_uniform_initializer_fills_its_range_evenly(name: str, limit: float) -> None:
    values = drawn(name)
    assert np.abs(values).max() <= limit
    assert np.abs(values).max() > 0.99 * limit
    assert abs(values.mean()) < 4 * limit / math.sqrt(3 * values.size)
    assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize(("name", "spread"), NORMAL.items())
def test_a_normal_initializer_has_its_spread_after_it_is_cut(name: str, spread: tuple[float, int | None]) -> None:
    values, (deviation, cut) = drawn(name), spread
    assert values.std() == pytest.approx(deviation, rel=0.05)
    assert abs(values.mean()) < 4 * deviation / math.sqrt(values.size)
    farthest = np.abs(values).max() / deviation
    assert farthest < cut / 0.8796 + 1e-3 if cut else farthest > 2.5


def test_a_truncated_normal_is_cut_at_two_of_its_own_deviations() -> None:
    values = drawn(initializers.TruncatedNormal(mean=1.0, stddev=0.5))
    assert np.abs(values - 1).max() <= 1.0
    assert values.mean() == pytest.approx(1.0, abs=0.05)
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.05)


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5), (3, 2, 8), (2, 2, 3, 4)])
def test_an_orthogonal_matrix_has_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    matrix = drawn(initializers.Orthogonal(gain=2.0), shape).reshape(-1, shape[-1])
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_are_not_all_of_one_sign() -> None:
    determinants = [np.linalg.det(drawn("orthogonal", (3, 3), f"layer_{place}/kernel")) for place in range(40)]
    assert {round(float(value)) for value in determinants} == {-1, 1}


def test_convolutions_count_their_window_as_inputs_and_outputs() -> None:
    assert np.abs(drawn("glorot_uniform", (3, 5, 4, 6))).max() <= math.sqrt(6 / (15 * 4 + 15 * 6))
    assert np.abs(drawn("glorot_uniform", (3, 5, 4, 6))).max() > 0.95 * math.sqrt(6 / (15 * 4 + 15 * 6))


def test_variance_scaling_takes_keras_arguments() -> None:
    wide = initializers.VarianceScaling(scale=3.0, mode="fan_out", distribution="uniform")
    assert np.abs(drawn(wide)).max() == pytest.approx(math.sqrt(3 * 3.0 / 60), rel=0.01)
    normal = initializers.VarianceScaling(mode="fan_avg", distribution="untruncated_normal")
    assert drawn(normal).std() == pytest.approx(math.sqrt(1 / 50), rel=0.05)
    turned = initializers.VarianceScaling(distribution="uniform", input_axes=[1], output_axes=[0])
    assert np.abs(drawn(turned)).max() == pytest.approx(math.sqrt(3 / 60), rel=0.01)


@pytest.mark.parametrize(
    ("initializer", "expected"),
    [
        ("zeros", [[0, 0, 0], [0, 0, 0]]),
        ("zero", [[0, 0, 0], [0, 0, 0]]),
        ("Ones", [[1, 1, 1], [1, 1, 1]]),
        (initializers.Constant(0.5), [[0.5] * 3, [0.5] * 3]),
        ({"class_name": "Constant", "config": {"value": 0.5}}, [[0.5] * 3, [0.5] * 3]),
        (initializers.Constant, [[0, 0, 0], [0, 0, 0]]),
        ("identity", [[1, 0, 0], [0, 1, 0]]),
        (initializers.Identity(gain=3.0), [[3, 0, 0], [0, 3, 0]]),
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (lambda shape, dtype=None: np.full(shape, 7, dtype), [[7, 7, 7], [7, 7, 7]]),
        (lambda shape, dtype, name, seed: np.full(shape, len(name), dtype), [[12] * 3, [12] * 3]),
    ],
    ids=[
        "name",
        "alias",
        "class-name",
        "object",
        "config",
        "class",
        "identity",
        "gain",
        "array",
        "function",
        "four-arguments",
    ],
)
def test_a_name_an_object_a_function_or_an_array_gives_the_first_value(initializer: Any, expected: Any) -> None:
    np.testing.assert_array_equal(drawn(initializer, (2, 3)), np.array(expected, FLOAT), strict=True)


def test_each_weight_is_drawn_from_its_own_name_and_the_seed() -> None:
    assert np.array_equal(drawn("glorot_uniform", name="a"), drawn("glorot_uniform", name="a"))
    assert not np.array_equal(drawn("glorot_uniform", name="a"), drawn("glorot_uniform", name="b"))
    assert not np.array_equal(drawn("glorot_uniform", name="a", seed=1), drawn("glorot_uniform", name="a", seed=2))
    seeded = initializers.GlorotUniform(seed=1)
    assert np.array_equal(drawn(seeded, name="a", seed=5), drawn("glorot_uniform", name="a", seed=1))
    assert not np.array_equal(drawn(seeded, name="a"), drawn(seeded, name="b"))


def test_the_seed_of_a_scope_reaches_the_weights_of_its_layers() -> None:
    def kernel(seed: int | None) -> Array:
        layer = layers.Dense(3)
        with scopes.scope("model", seed=seed):
            layer.build((None, 4))
        return layer.get_weights()[0]

    assert np.array_equal(kernel(1), kernel(1))
    assert not np.array_equal(kernel(1), kernel(2))
    assert not np.array_equal(kernel(1), kernel(None))


@pytest.mark.parametrize(
    ("make", "kind", "fragments"),
    [
        (
            lambda: layers.Dense(3, kernel_initializer="glorot"),
            ValueError,
            ("Dense", "'glorot'", "glorot_uniform", "zeros"),
        ),
        (lambda: layers.Dense(3, bias_initializer=True), TypeError, ("bias_initializer", "True", "function")),  # type: ignore[arg-type]
        (lambda: initializers.VarianceScaling(scale=0.0), ValueError, ("scale", "0.0", "above 0")),
        (lambda: initializers.VarianceScaling(mode="in"), ValueError, ("'in'", "fan_in")),  # type: ignore[arg-type]
        (
            lambda: initializers.VarianceScaling(distribution="normal"),  # type: ignore[arg-type]
            ValueError,
            ("'normal'", "truncated_normal"),
        ),
        (lambda: drawn("orthogonal", (4,)), ValueError, ("layer/kernel", "(4,)", "another initializer")),
        (lambda: drawn("identity", (4, 2, 2)), ValueError, ("layer/kernel", "(4, 2, 2)")),
        (lambda: drawn(np.zeros(3), (2, 3)), ValueError, ("layer/kernel", "(3,)", "(2, 3)")),
        (lambda: drawn(initializers.RandomNormal(seed=1.5)), TypeError, ("1.5", "int")),  # type: ignore[arg-type]
    ],
    ids=["name", "number", "scale", "mode", "distribution", "vector", "not-a-matrix", "array", "seed"],
)
def test_what_cannot_draw_is_refused(
    make: Callable[[], Any], kind: type[Exception], fragments: tuple[str, ...]
) -> None:
    refused(make, kind, *fragments)
