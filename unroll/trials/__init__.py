"""Feeds that tell two graphs apart, and running graphs on them."""
