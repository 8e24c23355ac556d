"""Prints the lowest versions that pyproject.toml allows, as constraints for pip: ``numpy>=2.0`` becomes ``numpy==2.0``."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
for requirement in project["project"]["dependencies"] + project["project"]["optional-dependencies"]["digits"]:
    name, version = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()
    print(f"{name}=={version}")
