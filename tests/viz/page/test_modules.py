"""The page's modules, each tested by Node's own runner; and what they may hold."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import REPOSITORY

MODULES = sorted((REPOSITORY / "viz" / "page").glob("*.js"))
TESTS = sorted((Path(__file__).parent / "modules").glob("*.test.js"))
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node is not installed on this machine: the page's modules are not tested")
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_a_module_does_what_its_own_tests_say(path: Path, tmp_path: Path) -> None:
    assert NODE is not None
    for source in (*MODULES, path):
        shutil.copy(source, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    done = subprocess.run([NODE, "--test", path.name], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE) or re.search(r"pass (\d+)", done.stdout)
    assert found is not None and int(found[1]) > 0


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_builds_no_markup_and_no_code_from_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function|fetch\(|XMLHttp|https?://(?!www\.w3\.org)"
    assert not re.findall(forbidden, text)
    imports = [line for line in text.splitlines() if line.startswith("import ")]
    assert all(re.fullmatch(r'import \{ [\w, ]+ \} from "\./[\w-]+\.js";', line) for line in imports)
    exports = [line for line in text.splitlines() if line.startswith("export ")]
    assert all(re.match(r"export (async )?(function|class|const) \w+", line) for line in exports)
    assert text.startswith("// "), "a module says first what it is"
    assert len(text.splitlines()) <= 330
