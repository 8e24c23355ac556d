"""The command line as a process: on a terminal, in a pipe, beside a user's own files."""

import os
import subprocess
import sys

import pytest
from cli_checks import IMAGE_ROWS, TWO_STEPS

import unroll


@pytest.mark.slow
def test_a_users_own_export_and_viz_do_not_get_in_the_way(tmp_path):
    for name in ("export", "viz", "examples"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    commands = (
        [sys.executable, "-m", "unroll", "export", TWO_STEPS, "-o", "m.onnx"],
        [sys.executable, "-m", "unroll", "draw", TWO_STEPS, "-o", "m.svg"],
        [sys.executable, "-c", "import unroll; [getattr(unroll, name) for name in unroll.__all__]"],
    )
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "m.onnx").stat().st_size > 0


@pytest.mark.slow
def test_no_progress_bar_is_written_where_there_is_no_terminal():
    command = [sys.executable, "-m", "unroll", "verify", IMAGE_ROWS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a pseudo-terminal is a Unix device")
def test_a_progress_bar_is_shown_on_a_terminal():
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "unroll", "verify", IMAGE_ROWS]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stderr=follower, stdout=subprocess.DEVNULL, env=environment)
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the process has closed its end
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait() == 0
    assert b"running" in shown or b"writing" in shown


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m unroll summary {IMAGE_ROWS} --full | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Graph of")
    assert done.stderr == ""


def test_the_version_is_the_packages():
    done = subprocess.run([sys.executable, "-m", "unroll", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"unroll {unroll.__version__}"
