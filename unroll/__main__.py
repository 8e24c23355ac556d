"""``python -m unroll``: the command line."""

import sys

from unroll.cli import main

sys.exit(main())
