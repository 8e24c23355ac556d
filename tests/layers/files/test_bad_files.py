"""Files of Keras that are broken, or that ask for what nobody gives: our own errors, soon, and nothing is run."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from try_keras_files import FILES, judged

from unroll import keras, layers
from unroll.errors import FileError, NameNotFoundError, UnrollError, UnsupportedError

LSTM = next(file for file in FILES if file.name == "lstm.keras")


def parts_of(file: Path = LSTM) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def changed(path: Path, change: Any) -> Path:
    """A file with another config."""
    parts = parts_of()
    config = json.loads(parts["config.json"])
    change(config["config"]["layers"])
    return packed(path, {**parts, "config.json": json.dumps(config).encode()})


@pytest.mark.parametrize("seed", range(100))
def test_a_mutant_is_loaded_or_refused_by_an_error_of_ours(seed: int, tmp_path: Path) -> None:
    found = judged(seed, tmp_path)
    assert not found.wrong, f"{found.what}: {found.said}"


@pytest.mark.parametrize("name", ["lstm.keras", "tagger.h5"])
def test_a_file_cut_off_anywhere_is_refused(name: str, tmp_path: Path) -> None:
    data = LSTM.with_name(name).read_bytes()
    path = tmp_path / name
    for end in range(0, len(data) - 1, 997):
        path.write_bytes(data[:end])
        with pytest.raises(FileError, match=name):
            keras.models.load_model(path)


def test_members_that_lead_elsewhere_are_not_unpacked(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = packed(inner / "model.keras", {"../outside.txt": b"x", "/tmp/outside.txt": b"x", **parts_of()})
    keras.models.load_model(path)
    assert [*tmp_path.iterdir()] == [inner] and [*inner.iterdir()] == [path]


def test_a_bomb_is_not_swollen(tmp_path: Path) -> None:
    parts = {**parts_of(), "model.weights.h5": bytes(300 * 2**20)}
    with pytest.raises(FileError, match="would swell"):
        keras.models.load_model(packed(tmp_path / "bomb.keras", parts, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_an_archive_without_a_part_says_which(missing: str, tmp_path: Path) -> None:
    parts = parts_of()
    del parts[missing]
    with pytest.raises(FileError, match=missing):
        keras.models.load_model(packed(tmp_path / "model.keras", parts))


def test_a_part_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.keras", parts_of())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    with pytest.raises(FileError, match="twice"):
        keras.models.load_model(path)


@pytest.mark.parametrize("config", ["", "[]", "[" * 100_000, "9" * 5000, '{"class_name": "Sequential"}', '{"a": NaN}'])
def test_a_config_that_is_none(config: str, tmp_path: Path) -> None:
    with pytest.raises(UnrollError, match=r"model\.keras"):
        keras.models.load_model(packed(tmp_path / "model.keras", {**parts_of(), "config.json": config.encode()}))


@pytest.mark.parametrize("units", [20_000, 2**31, 2**50])
def test_weights_that_the_file_has_no_bytes_for_are_not_made(units: int, tmp_path: Path) -> None:
    path = changed(tmp_path / "model.keras", lambda parts: parts[1]["config"].update(units=units))
    with pytest.raises(FileError, match="has not the bytes for"):
        keras.models.load_model(path)


def test_steps_without_an_end_are_not_made(tmp_path: Path) -> None:
    path = changed(tmp_path / "model.keras", lambda parts: parts[0]["config"].update(batch_shape=[None, 2**31 - 1, 4]))
    with pytest.raises(UnsupportedError, match="steps and calls"):
        keras.models.load_model(path)


def test_a_lambda_of_a_file_is_never_run(tmp_path: Path) -> None:
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    entry = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "mine", "function": code}}
    path = changed(tmp_path / "model.keras", lambda parts: parts.insert(1, entry))
    with pytest.raises(UnsupportedError, match=r"layer 1 of .*code of a file is never run"):
        keras.models.load_model(path)
    with pytest.raises(UnsupportedError, match="safe_mode"):
        keras.models.load_model(path, safe_mode=False)


def test_a_layer_that_is_not_given_is_named_with_its_place_and_the_line_that_gives_it(tmp_path: Path) -> None:
    path = changed(
        tmp_path / "model.keras", lambda parts: parts[2].update(class_name="MyDense", registered_name="mine>MyDense")
    )
    with pytest.raises(NameNotFoundError) as caught:
        keras.models.load_model(path)
    said = str(caught.value)
    assert "layer 2 of the model 'sequential'" in said
    assert "custom_objects={'MyDense': MyDense}" in said
    assert "did you mean 'Dense'" in said

    for name in ("MyDense", "mine>MyDense"):
        model = keras.models.load_model(path, custom_objects={name: layers.Dense})
        assert type(model.layers[1]) is layers.Dense


def test_a_folder_or_another_file_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="SavedModel"):
        keras.models.load_model(tmp_path)
    (tmp_path / "model.h5").write_text("no model")
    with pytest.raises(FileError, match=r"\.keras file"):
        keras.models.load_model(tmp_path / "model.h5")
    model = keras.models.load_model(LSTM)
    model.save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(FileError, match="load_weights"):
        keras.models.load_model(tmp_path / "only.weights.h5")


def test_a_file_of_keras_1_is_refused(tmp_path: Path) -> None:
    parts = {**parts_of(), "metadata.json": b'{"keras_version": "1.2.2"}'}
    with pytest.raises(UnsupportedError, match=r"Keras 1\.2\.2"):
        keras.models.load_model(packed(tmp_path / "model.keras", parts))


def test_bytes_that_are_no_archive_after_all(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"PK\3\4" + io.BytesIO(b"\0" * 100).getvalue())
    with pytest.raises(FileError, match=r"\.keras file"):
        keras.models.load_model(tmp_path / "model.keras")
