"""What every test file shares: helper modules of this folder are imported by name; property tests repeat themselves."""

import sys
from pathlib import Path

import hypothesis

sys.path.insert(0, str(Path(__file__).parent))

# The same examples in every run, none kept on disk, and no time limit that a busy machine would exceed.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")
