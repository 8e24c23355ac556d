"""Files of arrays: what NumPy writes is read as NumPy reads it; nothing else costs time, memory or a traceback."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from helpers import refused, two_step_graph

import unroll
from unroll import Session, array_files, parameter_files
from unroll.cli.arrays import read_feeds

KERNEL, BIAS = "rnn/basic_rnn_cell/kernel", "rnn/basic_rnn_cell/bias"


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(method: int = zipfile.ZIP_STORED, /, **members: bytes) -> bytes:
    """An archive of members as they are given, whatever they hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def header(text: str, version: int = 1) -> bytes:
    data = text.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(data).to_bytes(2 if version == 1 else 4, "little") + data


def of_shape(shape: str, descr: str = "'<f4'") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}")


# -- what is read -----------------------------------------------------------------------------------------------------

ARRAYS: dict[str, Any] = {
    "plain": np.arange(12, dtype="float32").reshape(3, 4),
    "column by column": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big-endian": np.arange(3, dtype=">i8"),
    "a number": np.asarray(2.5),
    "empty": np.zeros((0, 4), "float16"),
    "truth": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "many pieces": np.arange(200_000, dtype="int32"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_read_as_numpy_reads_them(name: str, tmp_path: Path) -> None:
    array = ARRAYS[name]
    np.savez(tmp_path / "stored.npz", **{name: array})
    np.savez_compressed(tmp_path / "deflated.npz", **{name: array})
    found = [parameter_files.load(tmp_path / f"{kind}.npz")[name] for kind in ("stored", "deflated")]
    for read in [*found, array_files.read_npy(npy(array), "x.npy")]:
        expected = np.load(io.BytesIO(npy(array)))
        assert read.dtype == expected.dtype and read.shape == expected.shape
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_of_the_format_is_read(version: int) -> None:
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }"  # Python 2 wrote 2L
    np.testing.assert_array_equal(array_files.read_npy(header(text, version) + bytes(8), "x.npy"), np.zeros(2, "f4"))


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_is_saved_is_read_again_and_by_the_formats_own_reader(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"arrays{suffix}"
    names = ["file", "allow_pickle", "a/b", "é 😀", "w"]  # the first two are arguments of numpy.savez
    arrays = {name: np.full((place, 2), place, "float32") for place, name in enumerate(names)}
    arrays["a number"] = np.asarray(2.5, "float32")
    parameter_files.save(arrays, path)
    own = dict(np.load(path)) if suffix == ".npz" else safetensors.numpy.load_file(path)
    for found in (own, parameter_files.load(path)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("suffix", "arrays"),
    [
        (".npz", {"a\0b": np.ones(2)}),
        (".npz", {"a\ud800": np.ones(2)}),
        (".npz", {"a" * 70_000: np.ones(2)}),
        (".npz", {"a": np.array([{}], object)}),
        (".safetensors", {"a\ud800": np.ones(2)}),
        (".safetensors", {"a": np.ones(2, complex)}),
        (".safetensors", {"a": np.array([{}], object)}),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_is_written(
    suffix: str, arrays: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"arrays{suffix}"
    refused(lambda: parameter_files.save(arrays, path), OSError, str(path), "cannot hold")
    assert list(tmp_path.iterdir()) == []


# -- what is refused --------------------------------------------------------------------------------------------------


def patched(data: bytes, *patches: tuple[int, bytes]) -> bytes:
    """Return an archive of one member with bytes replaced: at a place, or (below 0) that far behind its entry in the index."""
    found = bytearray(data)
    entry = found.find(b"PK\x01\x02")
    for place, new in patches:
        at = place if place >= 0 else entry - place
        found[at : at + len(new)] = new
    return bytes(found)


DATA = npy(np.ones((200, 200), "float32"))
#: Archives that are none.
BROKEN: dict[str, tuple[bytes, str]] = {
    "deflate": (patched(npz(8, w=DATA), (35, b"\xff" * 8)), "decompressing"),
    "a wrong checksum": (patched(npz(w=DATA), (1000, b"\xff")), "CRC"),
    "LZMA": (npz(14, w=DATA), "compressed by LZMA"),
    "bzip2": (npz(12, w=DATA), "compressed by bzip2"),
    "an unknown method": (patched(npz(w=DATA), (8, b"\x63"), (-10, b"\x63")), "method 99"),
    "a password": (patched(npz(w=DATA), (6, b"\1"), (-8, b"\1")), "encrypted"),
    "one array": (DATA, "one array"),
    "no end": (npz(w=DATA)[:-30], "not a zip file"),
}
#: Arrays that are none.
LIES: dict[str, tuple[bytes, str]] = {
    "brackets": (header("(" * 50), "no dict"),
    "brackets, deep": (header("(" * 9000), "no dict"),
    "signs, deep": (header("-" * 9000 + "1"), "no dict"),
    "a list for a key": (header("{[]: 1}"), "no dict"),
    "a number of 5,000 digits": (of_shape(f"({'9' * 5000},)"), "no dict"),
    "a shape of 10**15": (of_shape(f"({10**15},)"), "4000000000000000 bytes, and 0 are there"),
    "a shape of 10**200": (of_shape(f"({10**200},)"), "and 0 are there"),
    "a shape of 10**30 by 0": (of_shape(f"({10**30}, 0)"), "dimension"),
    "a shape of 100 axes": (of_shape(f"({'1, ' * 100})") + bytes(4), "dimension"),
    "a shape below 0": (of_shape("(-1, -1)") + bytes(4), "no dict"),
    "a shape of truth": (of_shape("(True,)") + bytes(4), "no valid shape or order"),
    "a shape that is no tuple": (of_shape("3") + bytes(12), "no valid shape or order"),
    "too few bytes": (DATA[:-1], "160000 bytes, and 159999 are there"),
    "too many bytes": (DATA + b"x", "160000 bytes, and 160001 are there"),
    "version 9": (header("{}", 9), "version 9.0"),
    "a header of 2**32 bytes": (b"\x93NUMPY\2\0\xff\xff\xff\xff", "4,294,967,295 bytes"),
    "a header that ends": (b"\x93NUMPY\1\0\xff\0{", "ends too early"),
    "a header that is no text": (b"\x93NUMPY\3\0\4\0\0\0\xff\xff\xff\xff", "utf-8"),
    "another key": (header("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}"), "no dict"),
    "objects": (npy(np.array([{}], object), allow_pickle=True), "never loaded"),
    "texts": (npy(np.array(["a"])), "no plain numbers"),
    "no size": (of_shape(f"({10**15},)", "'<U0'"), "no plain numbers"),
    "a dtype of fields": (npy(np.zeros(2, [("a", "f4")])), "no plain numbers"),
    "a dtype that is none": (of_shape("(1,)", "'<f3'") + bytes(3), "no dtype"),
    "no array": (b"hello", "something else"),
    "a pickle": (b"\x80\x04K\x01.", "never loaded"),
}


@pytest.mark.parametrize("kind", [*BROKEN, *LIES])
def test_a_file_that_is_broken_or_lies_is_refused_and_changes_nothing(kind: str, tmp_path: Path) -> None:
    data, said = BROKEN[kind] if kind in BROKEN else LIES[kind]
    graph = two_step_graph()
    before = graph.parameters[KERNEL].value.copy()
    path = tmp_path / "w.npz"
    path.write_bytes(data if kind in BROKEN else npz(w=data))
    refused(lambda: graph.load_parameters(str(path)), OSError, str(path), said)
    np.testing.assert_array_equal(graph.parameters[KERNEL].value, before)
    if kind in LIES:
        (tmp_path / "w.npy").write_bytes(data)
        refused(lambda: read_feeds([f"x={tmp_path / 'w.npy'}"], None), OSError, "w.npy", said)


def bomb(size: int, count: int = 1) -> bytes:
    """An archive of zeros, which deflate to a thousandth."""
    data = npy(np.zeros(size // 4, "float32"))
    return npz(zipfile.ZIP_DEFLATED, **{f"w{place}": data for place in range(count)})


@pytest.mark.slow
def test_an_archive_that_would_swell_is_refused_before_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_files, "MOST_SWOLLEN", 2**20)
    path = tmp_path / "bomb.npz"
    for data in (bomb(16 * 2**20), bomb(2**20, 16)):
        path.write_bytes(data)
        tracemalloc.start()
        refused(lambda: parameter_files.load(path), OSError, "would swell", "numpy.savez")
        assert tracemalloc.get_traced_memory()[1] < 3 * 2**20
        tracemalloc.stop()
    path.write_bytes(bomb(2**19))  # zeros are not refused for being zeros
    assert parameter_files.load(path)["w0"].nbytes == 2**19 // 4 * 4
    np.savez(path, w=np.zeros(4 * 2**20, "float32"))  # nor is a large file that is what it says
    assert parameter_files.load(path)["w"].nbytes == 16 * 2**20


def test_one_that_swells_more_than_it_says_is_refused(tmp_path: Path) -> None:
    data = bomb(2**20)
    size = (2**20 + 128).to_bytes(4, "little")
    assert data.count(size) == 2
    (tmp_path / "w.npz").write_bytes(data.replace(size, (1128).to_bytes(4, "little")))
    refused(lambda: parameter_files.load(tmp_path / "w.npz"), OSError, "CRC")


@pytest.mark.slow
def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    """Bytes set, put in, taken out, at the places where formats keep their sizes more often than elsewhere."""
    arrays = {"w": np.ones((20, 30), "float32"), "b": np.arange(7), "e": np.zeros((0, 4))}
    for name in ("stored.npz", "a.safetensors"):
        parameter_files.save(arrays, tmp_path / name)
    np.savez_compressed(tmp_path / "deflated.npz", **arrays)  # type: ignore[arg-type]
    seeds = [(path.suffix, path.read_bytes()) for path in sorted(tmp_path.iterdir())]
    seeds += [(".npy", npy(array)) for array in arrays.values()]
    draw = random.Random(0)
    refusals = 0
    for _ in range(600):
        suffix, seed = draw.choice(seeds)
        data = bytearray(seed)
        for _ in range(draw.choice([1, 1, 2, 5])):
            at = draw.choice([draw.randrange(200), draw.randrange(len(seed)), len(seed) - draw.randrange(300)])
            new = draw.choice([draw.randbytes(1), draw.randbytes(8), b"\xff\xff\xff\xff", b"", b"(" * 9])
            data[at : at + draw.choice([len(new), len(new), 0, 9])] = new
        path = tmp_path / f"mutant{suffix}"
        path.write_bytes(data)
        try:
            read_feeds([f"x={path}"], None) if suffix == ".npy" else parameter_files.load(path)
        except unroll.UnrollError as error:
            assert str(path) in str(error)
            refusals += 1
    assert 400 < refusals < 600


# -- names that are one name ------------------------------------------------------------------------------------------


def twice(names: tuple[str, str]) -> bytes:
    """An archive of two members, which may have one name."""
    first, second = (npz(**{name: npy(np.ones(5, "float32"))}) for name in ("a" * len(names[0]), "b" * len(names[1])))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for data, letter in ((first, "a"), (second, "b")):
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                (member,) = inner.namelist()
                archive.writestr(member, inner.read(member))
            assert letter in member
    found = file.getvalue()
    for name, letter in zip(names, "ab", strict=True):
        found = found.replace(f"{letter * len(name)}.npy".encode(), f"{name}.npy".encode())
    return found


def safetensors_twice(names: tuple[str, str]) -> bytes:
    tensor = '{"dtype": "F32", "shape": [5], "data_offsets": [0, 20]}'
    text = f'{{"{names[0]}": {tensor}, "{names[1]}": {tensor}}}'.encode()
    other = b'{"dtype": "F32", "shape": [5], "data_offsets": [20, 40]}'
    if names[0] != names[1]:
        text = text[::-1].replace(tensor.encode()[::-1], other[::-1], 1)[::-1]
    return len(text).to_bytes(8, "little") + text + bytes(20 if names[0] == names[1] else 40)


@pytest.mark.parametrize(("suffix", "made"), [(".npz", twice), (".safetensors", safetensors_twice)])
@pytest.mark.parametrize("names", [(BIAS, BIAS), (BIAS, f"{BIAS}:0"), (f"{BIAS}:0", BIAS)])
def test_a_file_that_holds_one_name_twice_is_refused(
    suffix: str, made: Callable[[tuple[str, str]], bytes], names: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(made(names))
    said = refused(lambda: two_step_graph().load_parameters(str(path)), OSError, str(path), "twice", BIAS)
    assert names[0] == names[1] or f"{BIAS}:0" in said


def test_values_and_feeds_that_are_one_name_are_refused() -> None:
    graph = two_step_graph()
    before = graph.parameters[BIAS].value.copy()
    both = {BIAS: np.ones(5), f"{BIAS}:0": np.zeros(5)}
    refused(lambda: graph.assign(both), ValueError, repr(BIAS), repr(f"{BIAS}:0"), "twice")
    np.testing.assert_array_equal(graph.parameters[BIAS].value, before)
    first, second = (item.name for item in graph.inputs)
    fed = {first: np.ones((1, 3)), f"{first}:0": np.zeros((1, 3)), second: np.ones((1, 3))}
    bound = Session(graph).bind({first: np.ones((1, 3)), second: np.ones((1, 3))})
    actions: list[Callable[[], Any]] = [
        lambda: graph.run(fed),
        lambda: Session(graph).run(fed),
        lambda: bound.feed(fed),
        lambda: bound.feed({graph.inputs[0]: np.ones((1, 3)), **fed}),
        lambda: unroll.verify(graph, fed),
        lambda: unroll.draw(graph, feeds=fed),
    ]
    for action in actions:
        refused(action, ValueError, repr(first), "twice")


def test_a_name_that_ends_as_tensorflows_do_is_found_as_it_stands(tmp_path: Path) -> None:
    """Models that came from TensorFlow have weights and inputs called ``w:0``."""
    x, w = unroll.placeholder([None, 2], "x"), unroll.Parameter(np.ones((2, 2), "float32"), "w")
    model = unroll.to_onnx(unroll.Graph([x], {"y": x @ w}))
    for item in (model.graph.input[0], model.graph.initializer[0]):
        item.name += ":0"
    node = next(node for node in model.graph.node if node.op_type == "MatMul")
    node.input[:] = [f"{name}:0" for name in node.input]
    graph = unroll.from_onnx(model)
    assert list(graph.parameters) == ["w:0"] and graph.inputs[0].name == "x:0"
    graph.save_parameters(str(tmp_path / "w.npz"))
    graph.load_parameters(str(tmp_path / "w.npz"))
    np.savez(tmp_path / "x.npz", **{"x:0": np.ones((1, 2), "float32")})  # type: ignore[arg-type]
    feeds = read_feeds([str(tmp_path / "x.npz")], list)
    bound = Session(graph).bind(feeds)
    bound.feed(feeds)
    for found in (graph.run(feeds), Session(graph).run(feeds), bound.run()):
        np.testing.assert_allclose(found["y"], [[2, 2]])


def test_states_that_are_one_name_are_refused() -> None:
    x, h = unroll.placeholder([None, 2], "x"), unroll.placeholder([None, 2], "h")
    new = unroll.ops.tanh(x + h)
    stream = unroll.Graph([x, h], {"y": new * 2, "new": new}, states={h: new}).stream()
    one = np.ones((1, 2))
    refused(lambda: stream.reset({h: one, "h": one}), ValueError, "'h' twice", "by placeholder", "as 'h'")
    refused(lambda: stream.reset({"h": one, "h:0": one}), ValueError, "'h' twice", "as 'h:0'")
    refused(lambda: stream.run({"x": one, "h:0": one}), ValueError, "'h'", "reset")
    assert stream.state == {}
    stream.reset({"h:0": one})
    np.testing.assert_allclose(stream.run({"x:0": one})["y"], 2 * np.tanh(2 * one), atol=1e-6)
