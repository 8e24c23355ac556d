"""Models that Keras 2 and 3 saved: loaded with their numbers, drawn, exported flat, re-rolled, and written for Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.keras_file_cases import CASES, NEWER
from helpers import Array, check_three_runners, golden_arrays
from onnx import ModelProto

import unroll
from unroll import keras, nest
from unroll.errors import FileError

FOLDER = Path(__file__).parent.parent.parent / "golden" / "keras_files"
FILES = sorted(FOLDER.iterdir())
IN_LOOPS = {"LSTM", "GRU", "RNN", "Scan", "Loop", "If"}


def numbers(file: Path, kind: str) -> list[Array]:
    newer = file.suffix == ".keras" or file.stem in NEWER
    arrays = golden_arrays(f"keras_files_{'3' if newer else '2'}.npz")
    return [arrays[key] for key in arrays if key.startswith(f"{file.stem}/{kind}/")]


def check_numbers(model: Any, file: Path) -> None:
    fed = numbers(file, "input")
    found = model.predict(fed if len(fed) > 1 else fed[0])
    for array, wanted in zip(nest.flatten(found), numbers(file, "output"), strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-5, atol=1e-5)


def test_every_case_is_there_as_keras_3_and_as_an_older_file_has_it() -> None:
    assert {(file.stem, file.suffix) for file in FILES} == {
        (name, kind) for name in CASES for kind in (".keras", ".h5")
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_gives_keras_s_numbers(file: Path) -> None:
    check_numbers(keras.models.load_model(file), file)


def graph_of(file: Path) -> tuple[unroll.Graph, dict[str, Array]]:
    """The graph of a file, of a known time, and Keras's inputs by name."""
    model = keras.models.load_model(file)
    open_ = model.trace()
    feeds = {
        item.name: array.astype(item.dtype) for item, array in zip(open_.inputs, numbers(file, "input"), strict=True)
    }
    times = {
        item.name: feeds[item.name].shape[1] for item in open_.inputs if not isinstance((*item.shape, 0, 0)[1], int)
    }
    return model.trace(timesteps=times or None), feeds


def operators(model: ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def check_pictures_and_files(file: Path, folder: Path) -> None:
    graph, feeds = graph_of(file)
    assert unroll.draw(graph, folder / "model.svg")
    flat = unroll.to_onnx(graph, form="unrolled")
    assert not operators(flat) & IN_LOOPS
    again, _ = unroll.reroll(unroll.from_onnx(flat))
    rolled = {str(node.op.name) for node in again.nodes}
    assert rolled & IN_LOOPS or file.stem == "images"  # whose convolutions over three steps stay
    expected = numbers(file, "output")
    if file.stem == "dict_outputs":  # the graph's outputs stand as the file lists them
        by_name = dict(zip(sorted(graph.output_names), expected, strict=True))
        expected = [by_name[name] for name in graph.output_names]
    check_three_runners(graph, feeds, expected, "float32")
    for one, other in zip(again.run(feeds).values(), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.sampled(10)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_ends_in_a_picture_a_flat_file_and_operators_again(file: Path, tmp_path: Path) -> None:
    check_pictures_and_files(file, tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_a_model_is_written_and_read_again(name: str, tmp_path: Path) -> None:
    file = FOLDER / f"{name}.keras"
    model = keras.models.load_model(file)
    model.save(tmp_path / "again.keras")
    check_numbers(keras.models.load_model(tmp_path / "again.keras"), file)
    model.save_weights(tmp_path / "again.weights.h5")
    fresh = keras.models.clone_model(model)
    fresh.set_weights([weight * 0 for weight in fresh.get_weights()])
    fresh.load_weights(tmp_path / "again.weights.h5")
    check_numbers(fresh, file)
    fresh.set_weights([weight * 0 for weight in fresh.get_weights()])
    fresh.load_weights(file.with_suffix(".h5"))  # as Keras 2 lists them
    for one, other in zip(
        fresh.get_weights(), keras.models.load_model(file.with_suffix(".h5")).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    for place in ("a", "b"):
        keras.models.load_model(FOLDER / "tagger.keras").save(tmp_path / f"{place}.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


def test_weights_of_another_model_change_none(tmp_path: Path) -> None:
    model = keras.models.load_model(FOLDER / "lstm.keras")
    before = model.get_weights()
    for other in ("gru.keras", "three_lstms.keras", "gru.h5", "three_lstms.h5"):
        with pytest.raises(FileError, match=r"lstm|layers|kernel"):
            model.load_weights(FOLDER / other)
    for one, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, now)


@pytest.mark.parametrize(("path", "says"), [("model.h5", "model.keras"), ("model", "model.keras")])
def test_a_model_is_written_as_keras_alone(path: str, says: str, tmp_path: Path) -> None:
    model = keras.models.load_model(FOLDER / "lstm.keras")
    with pytest.raises(FileError, match=says):
        model.save(tmp_path / path)
    with pytest.raises(FileError, match=r"model.*weights.h5"):
        model.save_weights(tmp_path / path)
