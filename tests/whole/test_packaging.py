"""The wheel holds the whole tree and owns one import name; importing it stays light."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points

import pytest
from helpers import REPOSITORY

import unroll

HOMES = {"unroll": "unroll", "export": "unroll/export", "viz": "unroll/viz", "examples": "unroll/examples"}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    """The files of a wheel built from a copy of the tree, so that nothing is left in it."""
    import shutil

    copy = tmp_path_factory.mktemp("tree")
    for name in (*HOMES, "pyproject.toml", "README.md", "LICENSE"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = (copy / "dist").glob("*.whl")
    assert wheel.name.startswith("unroll_rnn-")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_tree(wheel_names):
    wanted = {
        f"{home}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for folder, home in HOMES.items()
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in wheel_names if ".dist-info/" not in name}
    assert packed == wanted


@pytest.mark.slow
def test_the_wheel_owns_no_other_import_name(wheel_names):
    assert {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name} == {"unroll"}


@pytest.mark.slow
def test_the_wheel_carries_its_licence_and_its_types(wheel_names):
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)
    assert "unroll/py.typed" in wheel_names


def test_the_version_is_said_once():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == unroll.__version__


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="unroll")
    assert command.load()(["summary", f"{REPOSITORY / 'examples' / 'lstm_by_hand.py'}:lstm"]) == 0


@pytest.mark.slow
def test_import_loads_neither_onnxruntime_nor_graphviz():
    program = (
        "import sys, unroll; unroll.Graph, unroll.static_rnn, unroll.BasicLSTMCell; "
        "print([m for m in ('onnx', 'onnxruntime', 'graphviz', 'pygraphviz', 'networkx', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
