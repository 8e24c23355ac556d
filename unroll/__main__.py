"""``python -m unroll``: the command line."""

import sys

try:
    from unroll.cli import main

    status = main()
except KeyboardInterrupt:  # while the first modules were loaded
    status = 130
sys.exit(status)
