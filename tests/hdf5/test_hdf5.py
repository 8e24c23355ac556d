"""HDF5: what is written is read again, what h5py wrote is read, and what is not read is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unroll.errors import FileError
from unroll.hdf5.reading import File
from unroll.hdf5.writing import written

FOLDER = Path(__file__).parent.parent / "golden" / "keras_files"


def test_arrays_are_read_as_they_were_written() -> None:
    rng = np.random.default_rng(0)
    arrays = {f"layers/lstm_{place}/vars/0": rng.normal(size=(place, 3)).astype("float32") for place in range(40)}
    arrays |= {
        "half": np.arange(3, dtype="float16"),
        "double": np.array(2.5),
        "ints": np.arange(4),
        "bytes": np.arange(3, dtype="u1"),
    }
    file = File(written(arrays), "a file")
    assert dict(file.shapes()) == {path: array.shape for path, array in arrays.items()}
    for path, array in arrays.items():
        found = file.array(path)
        assert found is not None and found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
    assert file.array("layers/lstm_99/vars/0") is None and file.array("layers") is None
    assert written(arrays) == written(dict(reversed(arrays.items())))


def test_a_file_of_h5py_has_its_texts_and_lists() -> None:
    file = File((FOLDER / "tagger.h5").read_bytes(), "tagger.h5")
    assert file.attributes()["keras_version"].startswith("2.")
    assert file.attributes("model_weights")["layer_names"][:2] == ["ids", "words"]
    assert file.array("model_weights/words/words/embeddings:0").shape == (12, 4)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("at", "content", "says"),
    [
        (0, b"\0", "does not begin"),
        (8, b"\x09", "version 9"),
        (13, b"\4", "addresses have 4"),
        (64, b"\xff" * 7, "ends before"),
        (64, bytes(8), "header"),
    ],
)
def test_a_start_that_is_none(at: int, content: bytes, says: str) -> None:
    data = bytearray(written({"a/b": np.ones(3, "float32")}))
    data[at : at + len(content)] = content
    with pytest.raises(FileError, match=says):
        list(File(bytes(data), "a file").shapes())


def test_a_group_that_holds_itself_has_an_end() -> None:
    data = bytearray(written({"a/b": np.ones(3, "float32")}))
    root = data[64:72]
    leaf = data.rindex(b"SNOD")
    data[leaf + 16 : leaf + 24] = root  # the last leaf is the root's: its member is the root again
    with pytest.raises(FileError, match="without an end"):
        list(File(bytes(data), "a file").shapes())


def test_a_shape_without_the_numbers_is_not_believed() -> None:
    data = written({"a": np.ones((3, 5), "float32")})
    shape = np.array([3, 5], "<u8").tobytes()
    huge = data.replace(shape, np.array([2**62, 5], "<u8").tobytes())
    with pytest.raises(FileError, match="60 are there"):
        File(huge, "a file").array("a")
