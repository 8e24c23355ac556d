"""The command line."""

from unroll.cli.main import main

__all__ = ["main"]
