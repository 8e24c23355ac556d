"""Which unroll this is: what exported models and cached choices are marked with."""

__version__ = "0.1.0"
