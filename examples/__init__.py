"""The programs this field teaches with: each a short script, run with ``python examples/<name>.py``."""
