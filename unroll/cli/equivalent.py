"""``unroll equivalent``: whether two graphs compute the same."""

from __future__ import annotations

import argparse

import unroll
from unroll.cli.command import Command
from unroll.cli.options import add_feeds, add_program, add_seed, add_sizes, feeds_of, given, graphs_of, names_of, say
from unroll.cli.statuses import DISAGREES, DONE
from unroll.progress import busy


def _add(parser: argparse.ArgumentParser) -> None:
    add_program(parser, "program", "A")
    add_program(parser, "other", "B")
    add_seed(parser)
    add_feeds(parser, "what both are run on where their structure does not tell (default: generated)")
    add_sizes(
        parser, "a symbol of the inputs of A, for feeds that are generated, or the time of a model that leaves it open"
    )


def _run(options: argparse.Namespace) -> int:
    (one, other), dims = graphs_of(options, ["program", "other"])
    feeds = feeds_of(options, lambda: names_of(one))
    with busy("comparing"):
        found = unroll.equivalent(one, other, seed=options.seed, dims=dims, **given(feeds=feeds))
    say(options, found)
    return DONE if found else DISAGREES


COMMAND = Command(
    "equivalent",
    "say whether two programs or files compute the same, by what proof, or where they first differ",
    "Say whether two programs or files compute the same outputs from the same inputs: by their structure, with the values "
    "of their weights, or by numbers on feeds made to tell them apart. Where they differ, say where first. The exit "
    "status is 0 where they do, 1 where not.",
    (
        "unroll equivalent lstm.onnx smaller.onnx",
        "unroll equivalent examples/image_rows_lstm.py:image_rows lstm.onnx",
    ),
    _add,
    _run,
)
