"""TensorFlow's checkpoints are read as data: its values to the bit, and of anything else only our errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from golden.tf1_programs import CHECKPOINT, values_for

import unroll
from unroll.checkpoints.checksums import crc32c, masked
from unroll.checkpoints.reading import Checkpoint

FILES = ("index", "data-00000-of-00001")


def test_the_checksum_is_that_of_the_standards() -> None:
    """RFC 3720, B.4, and the check value of the catalogue of CRCs."""
    known = {
        b"123456789": 0xE3069283, bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E,
        bytes(range(31, -1, -1)): 0x113FDB5C, b"": 0,
    }  # fmt: skip
    assert {data: crc32c(data) for data in known} == known
    long = np.random.default_rng(0).bytes(100_003)
    plain = 0xFFFFFFFF
    for byte in long:
        plain ^= byte
        for _ in range(8):
            plain = plain >> 1 ^ (0x82F63B78 if plain & 1 else 0)
    assert crc32c(long) == plain ^ 0xFFFFFFFF


def test_variables_are_read_to_the_bit_one_kept_in_parts_too() -> None:
    names = {"rnn/basic_lstm_cell/kernel": (5, 12), "rnn/basic_lstm_cell/bias": (12,), "beside": (2, 2), "w": (3, 2)}
    found = Checkpoint(CHECKPOINT).arrays([*names, "global_step"])
    for name, shape in names.items():
        np.testing.assert_array_equal(found[name], values_for(name, shape, "float32"))
    assert found["global_step"] == 7 and found["global_step"].dtype == np.int64


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["kernel"], "Key kernel not found in checkpoint.*there are .beside"),
        (["words"], "the variable 'words': it holds text.*leave it out"),
    ],
)
def test_a_variable_that_cannot_be_had_is_named(names: list[str], said: str) -> None:
    with pytest.raises(unroll.UnrollError, match=said):
        Checkpoint(CHECKPOINT).arrays(names)


def test_a_checkpoint_of_version_one_and_none_at_all_are_said(tmp_path: Path) -> None:
    (tmp_path / "old.ckpt").write_bytes(b"anything")
    with pytest.raises(unroll.UnrollError, match="version 1"):
        Checkpoint(tmp_path / "old.ckpt")
    with pytest.raises(unroll.UnrollError, match=r"none\.index"):
        Checkpoint(tmp_path / "none")


def mutants(count: int, seed: int = 0) -> list[tuple[str, bytes]]:
    """Files of a checkpoint that were cut, changed, or put together wrongly; with checksums that fit, or not."""
    rng, found = np.random.default_rng(seed), []
    for place in range(count):
        name = FILES[place % 5 == 4]
        data = bytearray(Path(f"{CHECKPOINT}.{name}").read_bytes())
        match place % 4:
            case 0:
                data = data[: rng.integers(len(data))]
            case 1:
                for at in rng.integers(len(data), size=rng.integers(1, 4)):
                    data[at] = rng.integers(256)
            case 2:
                start, end = sorted(rng.integers(len(data), size=2))
                data = data[:start] + data[end:]
            case _:  # the first block, with a checksum that fits what was changed
                at = int(rng.integers(200))
                data[at] = rng.integers(256)
                if name == "index":
                    end = block_end(data)
                    data[end + 1 : end + 5] = masked(bytes(data[: end + 1])).to_bytes(4, "little")
        found.append((name, bytes(data)))
    return found


def block_end(data: bytearray) -> int:
    """Where the first block of the index ends: its type is 0, and its checksum follows."""
    whole = Path(f"{CHECKPOINT}.index").read_bytes()
    return next(
        at for at in range(len(whole)) if masked(whole[: at + 1]) == int.from_bytes(whole[at + 1 : at + 5], "little")
    )


def tried(folder: Path, count: int, seed: int = 0) -> tuple[int, int]:
    """Read mutants; return how many were refused, and of how many other values were read though nothing was made to fit."""
    names = [name for name in Checkpoint(CHECKPOINT).variables if name != "words"]
    truth, refused, wrong = Checkpoint(CHECKPOINT).arrays(names), 0, 0
    for place, (name, data) in enumerate(mutants(count, seed)):
        for each in FILES:
            shutil.copy(f"{CHECKPOINT}.{each}", folder / f"model.ckpt.{each}")
        (folder / f"model.ckpt.{name}").write_bytes(data)
        try:
            found = Checkpoint(folder / "model.ckpt").arrays(names)
        except unroll.UnrollError:
            refused += 1
        else:
            wrong += place % 4 != 3 and any(not np.array_equal(found[name], truth[name]) for name in names)
    return refused, wrong


def test_of_a_changed_checkpoint_come_only_our_errors_and_never_other_numbers(tmp_path: Path) -> None:
    refused, wrong = tried(tmp_path, 120)
    assert refused > 100 and not wrong
