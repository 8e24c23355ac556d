"""What tests of rendering share."""

from __future__ import annotations

import subprocess
import sys

DRAW = """
import hashlib, sys
import unroll
from unroll.viz import fonts
if len(sys.argv) > 3:
    fonts.shipped_folder = lambda: None
x = unroll.placeholder([None, 3], sys.argv[2])
_, state = unroll.static_rnn(unroll.BasicRNNCell(2), [x, x])
print(hashlib.sha256(unroll.draw(unroll.Graph([x], [state]), format=sys.argv[1]).data).hexdigest())
"""


def fresh(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", **environment},
        timeout=120,
    )
