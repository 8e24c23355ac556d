"""First values are seeded by name, and saved values come back to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import Array, golden_json, refused, run_python, step_inputs

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, placeholder, static_rnn

# -- seeds ------------------------------------------------------------------------------------------------------------

SEEDED = """
import hashlib
import unroll
x = unroll.placeholder([None, 3, 4], "x")
cell = unroll.MultiRNNCell([unroll.BasicLSTMCell(5), unroll.GRUCell(3)])
graph = unroll.Graph([x], unroll.dynamic_rnn(cell, x))
digest = hashlib.sha256()
for name, parameter in graph.parameters.items():
    digest.update(name.encode() + parameter.value.tobytes())
digest.update("\\n".join(graph.tensor_names()).encode())
digest.update(unroll.to_onnx(graph).SerializeToString(deterministic=True))
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_the_same_program_gives_the_same_weights_names_and_bytes_in_every_process() -> None:
    assert len({run_python(SEEDED, PYTHONHASHSEED=seed) for seed in ("0", "1", "random")}) == 1


def kernel_of(scope: str, seed: int | None = None, units: int = 5) -> Array:
    cell = BasicRNNCell(units)
    with unroll.scope(scope, seed=seed):
        static_rnn(cell, step_inputs(2, 3))
    return cell.kernel.value


def test_two_parameters_of_one_shape_do_not_start_equal() -> None:
    assert not np.array_equal(kernel_of("a"), kernel_of("b"))
    assert np.array_equal(kernel_of("a"), kernel_of("a"))


def test_the_users_seed_changes_the_weights_and_again_makes_them_certain() -> None:
    assert not np.array_equal(kernel_of("a"), kernel_of("a", 1))
    assert not np.array_equal(kernel_of("a", 2), kernel_of("a", 1))
    assert np.array_equal(kernel_of("a", 1), kernel_of("a", 1))
    assert not np.array_equal(kernel_of("a", 1), kernel_of("b", 1)), "one seed made two Parameters equal"
    refused(lambda: kernel_of("a", "one"), TypeError, "seed", "'one'")  # type: ignore[arg-type]


@pytest.mark.slow
def test_first_values_have_tensorflows_distribution() -> None:
    facts = golden_json("tensorflow_names.json")["initial_values"]
    x = placeholder([2, 3], "x", "float64")
    drawn: dict[str, list[Array]] = {}
    for seed in range(300):
        with unroll.scope("s", seed=seed):
            for cell in (BasicRNNCell(5), BasicLSTMCell(5), GRUCell(5)):
                cell(x, cell.zero_state(2, "float64"))
                for weight in cell.weights.values():
                    drawn.setdefault(weight.name.removeprefix("s/"), []).append(weight.value)
    assert drawn.keys() == facts.keys()
    for name, fact in facts.items():
        sample = np.stack(drawn[name])
        assert list(sample.shape[1:]) == fact["shape"]
        if "constant" in fact:
            assert np.all(sample == fact["constant"]), name
            continue
        limit = fact["glorot_uniform_limit"]
        assert limit * 0.99 < np.abs(sample).max() <= limit + 1e-6, name
        assert abs(sample.mean() - fact["mean"]) < 0.02, name
        assert abs(sample.std() - fact["std"]) < 0.01, name


def test_an_initializer_of_the_scope_draws_the_kernels() -> None:
    cell = BasicRNNCell(2)
    with unroll.scope("a", initializer=lambda shape, dtype, name, seed: np.full(shape, 0.25, dtype)):
        static_rnn(cell, step_inputs(2, 3))
    assert np.all(cell.kernel.value == 0.25)
    assert not cell.bias.value.any()


# -- saved weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_parameters_come_back_from_a_file_to_the_last_bit(tmp_path: Path, suffix: str, dtype: str) -> None:
    x = placeholder([None, 3, 4], "x", dtype)
    first = Graph([x], unroll.dynamic_rnn(unroll.MultiRNNCell([BasicLSTMCell(5), GRUCell(3)]), x))
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=item.value.shape).astype(dtype) for name, item in first.parameters.items()}
    first.assign(values)
    path = str(tmp_path / f"weights{suffix}")
    first.save_parameters(path)
    second = Graph([x], unroll.dynamic_rnn(unroll.MultiRNNCell([BasicLSTMCell(5), GRUCell(3)]), x))
    second.load_parameters(path)
    for name, array in values.items():
        assert second.parameters[name].value.dtype == dtype
        assert second.parameters[name].value.tobytes() == array.tobytes()


def test_a_file_of_tensorflows_names_with_colon_0_is_loaded(tmp_path: Path) -> None:
    graph = Graph([], unroll.Parameter([1.0, 2.0], "a/kernel") + 1.0)
    np.savez(tmp_path / "w.npz", **{"a/kernel:0": np.array([3.0, 4.0])})  # type: ignore[arg-type]
    graph.load_parameters(str(tmp_path / "w.npz"))
    assert graph.parameters["a/kernel"].value.tolist() == [3.0, 4.0]


def test_the_sums_of_transposed_weights_are_saved_in_their_own_order(tmp_path: Path) -> None:
    parameter = unroll.Parameter(np.zeros((2, 3)), "w")
    parameter.assign(np.arange(6.0).reshape(3, 2).T)
    graph = Graph([], parameter + 0.0)
    for suffix in (".npz", ".safetensors"):
        graph.save_parameters(str(tmp_path / f"w{suffix}"))
        parameter.assign(np.zeros((2, 3)))
        graph.load_parameters(str(tmp_path / f"w{suffix}"))
        assert parameter.value.tolist() == [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
