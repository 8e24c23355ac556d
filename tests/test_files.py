"""Files on a real file system: only plain ones are read; writing keeps what was there: contents, mode, links, umask."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import refused, two_step_graph

import unroll
from unroll import files

OLD, NEW = b"the old file", b"the new file"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask() -> Iterator[None]:
    """A umask that no other test has."""
    old = os.umask(0o027)
    yield
    os.umask(old)


# -- what a path can be -----------------------------------------------------------------------------------------------

#: What takes a path, and the suffix it wants.
WAYS_IN = {
    "save": (".onnx", lambda path: unroll.save(two_step_graph(), path)),
    "from_onnx": (".onnx", unroll.from_onnx),
    "Session": (".onnx", unroll.Session),
    "draw": (".dot", lambda path: unroll.draw(two_step_graph(), path)),
    "draw_kernel": (".svg", lambda path: unroll.draw_kernel(two_step_graph(), path)),
    "draw_values": (
        ".svg",
        lambda path: unroll.draw_values(two_step_graph(), {"X0": [[1, 2, 3]], "X1": [[4, 5, 6]]}, path),
    ),
    "draw_diff": (".svg", lambda path: unroll.draw_diff(two_step_graph(), two_step_graph(), path)),
    "view": (".html", lambda path: unroll.view(two_step_graph(), path)),
    "save_parameters": (".npz", lambda path: two_step_graph().save_parameters(path)),
    "save_parameters, safetensors": (".safetensors", lambda path: two_step_graph().save_parameters(path)),
    "load_parameters": (".npz", lambda path: two_step_graph().load_parameters(path)),
    "load_parameters, safetensors": (".safetensors", lambda path: two_step_graph().load_parameters(path)),
}


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "a" * 300, "a/" * 3000 + "a"])
def test_a_path_that_no_file_can_have_is_a_file_error(
    way: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    suffix, action = WAYS_IN[way]
    refused(lambda: action(name + suffix), OSError)
    assert names(tmp_path) == []


def test_a_name_as_long_as_the_file_system_takes_is_written(tmp_path: Path) -> None:
    for name in ("n" * 250 + ".onnx", "ü" * 125 + ".onnx"):  # both of 255 bytes
        assert unroll.save(two_step_graph(), tmp_path / name).stat().st_size > 0
    assert len(names(tmp_path)) == 2


def special(kind: str, path: Path) -> None:
    """Make what is no plain file."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "/dev/zero", "/dev/null"])
def test_what_is_no_plain_file_is_neither_read_nor_replaced_nor_waited_for(way: str, kind: str, tmp_path: Path) -> None:
    suffix, action = WAYS_IN[way]
    path = Path(f"/tmp/unroll-{os.getpid()}{suffix}") if kind == "socket" else tmp_path / f"it{suffix}"
    special(kind, path)
    before = path.stat().st_ino
    try:
        refused(lambda: action(str(path)), OSError, str(path))
        assert path.stat().st_ino == before
    finally:
        if kind == "socket":  # whose path may have 107 bytes only
            path.unlink()


def test_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert files.read_bytes(path, 5) == b"12345"
    refused(lambda: files.read_bytes(path, 4), OSError, "larger than the 4 bytes", str(path))
    with path.open("wb") as file:
        file.truncate(2**40)  # 1 TiB, of which the disk has none
    refused(lambda: files.read_bytes(path), OSError, "larger than", str(path))
    system = Path("/proc/self/status")  # of Linux, which says that its size is 0
    assert not system.exists() or files.read_bytes(system).startswith(b"Name:")


# -- writing keeps ----------------------------------------------------------------------------------------------------


def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path, umask: None) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, OLD)
    assert mode(path) == 0o640
    for kept in (0o600, 0o666, 0o444, 0o755):
        path.chmod(kept)
        files.write_bytes(path, NEW)
        assert mode(path) == kept


def test_what_is_being_written_can_be_read_by_nobody_who_may_not_read_the_result(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    with files.replacing(path) as file:
        file.write(NEW)
        (temporary,) = (name for name in names(tmp_path) if name != "secret")
        assert mode(tmp_path / temporary) == 0o600


@pytest.mark.slow
def test_the_umask_of_the_process_is_never_touched(tmp_path: Path, umask: None) -> None:
    graph, done = two_step_graph(), threading.Event()

    def save() -> None:
        for turn in range(40):
            graph.save_parameters(str(tmp_path / f"{turn % 3}.npz"))
        done.set()

    thread = threading.Thread(target=save)
    thread.start()
    modes = set()
    while not done.is_set():  # files that another thread makes meanwhile
        path = tmp_path / "other"
        path.touch()
        modes.add(mode(path))
        path.unlink()
    thread.join()
    assert modes == {0o640}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_and_group_stay_where_that_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    os.chown(path, 1234, 5678)
    files.write_bytes(path, NEW)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


def test_our_group_may_not_read_what_only_the_old_group_might(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o664)
    real = os.fstat

    def denied(*arguments: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    def of_another_group(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        return os.stat_result([*found[:5], found[5] + 1, *found[6:]])

    monkeypatch.setattr(os, "fchown", denied)
    monkeypatch.setattr(os, "fstat", of_another_group)
    files.write_bytes(path, NEW)
    assert mode(path) == 0o644


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_replaced(there: bool, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    target, link, first = tmp_path / "far" / "real", tmp_path / "near" / "link", tmp_path / "near" / "first"
    if there:
        target.write_bytes(OLD)
    link.symlink_to("../far/real")
    first.symlink_to("link")  # a link to a link
    files.write_bytes(first, NEW)
    assert first.readlink() == Path("link") and link.readlink() == Path("../far/real")
    assert target.read_bytes() == NEW
    assert names(tmp_path / "far") == ["real"] and names(tmp_path / "near") == ["first", "link"]


def test_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    refused(lambda: files.write_bytes(tmp_path / "a", NEW), OSError, str(tmp_path / "a"), "cannot be written")
    (tmp_path / "c").symlink_to("missing/file")
    refused(lambda: files.write_bytes(tmp_path / "c", NEW), OSError, str(tmp_path / "c"), "No such file")
    assert names(tmp_path) == ["a", "b", "c"]


# -- a process that ends in the midst ---------------------------------------------------------------------------------

#: Writes 2 MB over a file, and is killed at one of the calls of the system, or fails at it.
SAVE = """
import os, pathlib, resource, signal, sys
from unroll import files

def kill(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

path, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
if moment == "rename":
    pathlib.Path.replace = kill
elif moment == "disk":
    os.fsync = kill
elif moment == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
with files.replacing(path) as file:
    file.write(b"n" * 1_500_000)
    if moment == "half":
        kill()
    file.write(b"n" * 500_000)
"""


@pytest.mark.parametrize("moment", ["half", "disk", "rename"])
def test_a_save_that_is_killed_leaves_the_old_file_whole_and_the_next_one_cleans_up(
    moment: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    done = subprocess.run([sys.executable, "-c", SAVE, str(path), moment], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    left = set(names(tmp_path)) - {"file"}
    assert len(left) == 1
    files.write_bytes(tmp_path / "another", NEW)
    assert left < set(names(tmp_path)), "what another path left is not its business"
    files.write_bytes(path, NEW)
    assert names(tmp_path) == ["another", "file"]


def test_a_disk_that_is_full_halfway_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    command = [sys.executable, "-c", SAVE, str(path), "full"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FileError" in done.stderr and f"{path}: cannot be written: File too large" in done.stderr
    assert path.read_bytes() == OLD and names(tmp_path) == ["file"]


#: Saves one path again and again, for a second.
AGAIN = """
import pathlib, sys, time
from unroll import files

print(flush=True)
end, turn = time.time() + 1, 0
while time.time() < end:
    turn += 1
    files.write_bytes(pathlib.Path(sys.argv[1]), bytes([65 + turn % 20]) * 300_000)
"""


@pytest.mark.slow
def test_processes_and_threads_that_save_one_path_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"A" * 300_000)
    command = [sys.executable, "-c", AGAIN, str(path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    while any(process.poll() is None for process in running):
        files.write_bytes(path, b"Z" * 300_000)
        data = path.read_bytes()
        assert len(data) == 300_000 and data == data[:1] * 300_000
    for process in running:
        assert process.communicate()[1] == ""
    assert names(tmp_path) == ["file"]


def test_one_that_is_being_written_is_never_taken_for_a_leftover(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with files.replacing(path) as slow:
        slow.write(OLD)
        files.write_bytes(path, NEW)
        assert path.read_bytes() == NEW
    assert path.read_bytes() == OLD and names(tmp_path) == ["file"]


def test_where_files_cannot_be_locked_only_what_is_old_is_taken_for_a_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_lock", lambda descriptor: None)
    path = tmp_path / "file"
    with files.replacing(path) as slow:
        slow.write(OLD)
        files.write_bytes(path, NEW)
        (temporary,) = (name for name in names(tmp_path) if name != "file")
    (tmp_path / temporary).write_bytes(b"left")
    files.write_bytes(path, NEW)
    assert temporary in names(tmp_path)
    os.utime(tmp_path / temporary, (0, 0))
    files.write_bytes(path, NEW)
    assert names(tmp_path) == ["file"]


@pytest.mark.slow
def test_a_file_that_does_not_fit_the_memory_is_a_file_error(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    with path.open("wb") as file:
        file.truncate(8 * 2**30)
    code = (
        "import resource, sys, unroll\nfrom unroll import parameter_files\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({4 * 2**30},) * 2)\n"
        "try:\n    parameter_files.load(sys.argv[1])\nexcept unroll.UnrollError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "too little memory" in done.stdout and str(path) in done.stdout


def test_temporary_files_that_cannot_be_written_are_a_file_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quantising goes through onnxruntime's tool, which works on files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    x = unroll.placeholder([None, 64], "x")
    graph = unroll.Graph([x], {"y": unroll.layers.Dense(64)(x)})
    refused(lambda: unroll.compile(graph, quantize="int8", cache=False, tune=False), OSError, "No such file", "TMPDIR")
