"""Measure the page beside Netron and Model Explorer, in the same browser, and write its section of docs/benchmarks.md.

python benchmarks/pages.py             all of it, in ten to fifteen minutes; the first time it installs the viewers
python benchmarks/pages.py --quick     one round of T = 28 and 1,000; prints, and leaves docs/ alone
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import viewers
from environment import default_cache, made_environment
from onnx import ModelProto
from pages_report import section
from report import write_section
from run import machine
from viewers import EXPLORER, NETRON, OURS, UnseenError

import unroll

#: Where each viewer is tried; Netron's first try beyond 100 steps is its last.
LENGTHS = {OURS: (28, 100, 300, 1000, 10_000), NETRON: (28, 100, 300, 1000), EXPLORER: (28, 100, 300, 1000)}
INPUTS, UNITS = 28, 13
#: The load of a machine above which it does other work than this.
BUSY = 2.5


@dataclass
class Measured:
    """What was measured.

    Attributes:
        about: what a reader needs to judge it.
        busy: whether the machine did other work meanwhile.
        pictures: seconds to the first picture, by viewer and steps; a text where there is none.
        hands: seconds of frames and steps, by what was done.
        views: seconds of CPU that `view` took, by what it was given.
        sizes: bytes of the page, by steps.
        drawn: seconds and bytes of pictures, by what was drawn.
    """

    about: dict[str, str] = field(default_factory=dict)
    busy: bool = False
    pictures: dict[str, dict[int, list[float] | str]] = field(default_factory=dict)
    hands: dict[str, list[float]] = field(default_factory=dict)
    views: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    drawn: dict[str, tuple[list[float], int]] = field(default_factory=dict)


def network(steps: int) -> unroll.Graph:
    """Return an LSTM of 13 units over so many steps of 28 features, unrolled."""
    inputs = [unroll.placeholder([None, INPUTS], f"X{step}") for step in range(steps)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(UNITS), inputs)
    return unroll.Graph(inputs, outputs)


def feeds(steps: int) -> dict[str, np.ndarray]:
    """Return one row of noise, which no packing makes smaller."""
    rng = np.random.default_rng(0)
    return {f"X{step}": rng.normal(size=(1, INPUTS)).astype(np.float32) for step in range(steps)}


def model(steps: int) -> ModelProto:
    """Return the same network as a flat file that has one input, as every exporter writes it."""
    x = unroll.placeholder([None, steps, INPUTS], "X")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(UNITS), x)
    return unroll.to_onnx(unroll.Graph([x], {"Y": outputs}), form="unrolled")


def made_elsewhere(proto: ModelProto) -> ModelProto:
    """Return a model in which nothing but its operators says what is a step, a cell or a gate."""
    found = ModelProto()
    found.CopyFrom(proto)
    del found.metadata_props[:]
    names: dict[str, str] = {"": ""}
    ends = {item.name for item in (*found.graph.input, *found.graph.output)}

    def name(old: str) -> str:
        return old if old in ends else names.setdefault(old, f"t{len(names)}")

    for number, node in enumerate(found.graph.node):
        del node.metadata_props[:]
        node.name, node.doc_string = f"n{number}", ""
        node.input[:], node.output[:] = [name(one) for one in node.input], [name(one) for one in node.output]
    for item in (*found.graph.initializer, *found.graph.value_info):
        item.name = name(item.name)
    return found


def measure(lengths: dict[str, Sequence[int]], rounds: int, longest: float, work: Path, programs: Path) -> Measured:
    """Measure everything; pages and models lie in `work`, the viewers' programs in `programs`."""
    found = Measured()
    busy = [os.getloadavg()[0]]
    made = {steps: page(steps, work, found) for steps in lengths[OURS]}
    files = {steps: work / f"lstm{steps}.onnx" for steps in {*lengths[NETRON], *lengths[EXPLORER]}}
    for steps, path in files.items():
        onnx.save(model(steps), path)
    turns = [(viewer, steps) for viewer, all_steps in lengths.items() for steps in all_steps]
    shuffle = random.Random(0).shuffle
    for number in range(rounds):
        shuffle(turns)
        for viewer, steps in turns:
            kept = found.pictures.setdefault(viewer, {}).setdefault(steps, [])
            if isinstance(kept, str):
                continue
            print(f"round {number + 1} of {rounds}: {viewer}, T = {steps:,}", file=sys.stderr)
            try:
                with viewers.served(viewer, programs, made[steps] if viewer == OURS else files[steps]) as address:
                    kept.append(viewers.first_picture(viewer, address, longest))
            except UnseenError as error:
                found.pictures[viewer][steps] = str(error)
            busy.append(os.getloadavg()[0])
    hands(made[1000], found, rounds)
    python(found, rounds)
    busy.append(os.getloadavg()[0])
    found.busy = statistics.median(busy) > BUSY
    found.about["load of the machine"] = f"{min(busy):.1f} to {max(busy):.1f} (this benchmark itself is 1 to 2)"
    found.about["rounds"] = f"{rounds}, in a new order each; a browser of its own for each first picture"
    return found


def page(steps: int, work: Path, found: Measured) -> Path:
    """Write the page of so many steps, and keep its size."""
    path = work / f"page{steps}.html"
    unroll.view(network(steps), path, feeds(steps))
    found.sizes[steps] = path.stat().st_size
    return path


def hands(path: Path, found: Measured, rounds: int) -> None:
    """Measure frames and steps on a page of 1,000 steps, in turn."""
    with viewers.fresh_browser() as browser:
        for _ in range(rounds):
            for movement in ("zoom", "pan"):
                browser.open(path)
                found.hands.setdefault(movement, []).extend(viewers.frames(browser, movement))
            for action in ("step", "open"):
                browser.open(path, "v=480-520&t=500")
                found.hands.setdefault(action, []).extend(viewers.painted(browser, action))


def python(found: Measured, rounds: int) -> None:
    """Measure `view` and `draw` by the CPU time of this process."""
    graph, fed, stranger = network(1000), feeds(1000), made_elsewhere(model(1000))
    one = {"X": np.stack(list(feeds(1000).values()), axis=1)}
    short, read = network(28), unroll.from_onnx(stranger)
    jobs = {
        "view, T = 1,000": lambda: unroll.view(graph, feeds=fed),
        "view, of a file made elsewhere, T = 1,000": lambda: unroll.view(read, feeds=one),
        "from_onnx, of that file": lambda: unroll.from_onnx(stranger),
    }
    pictures = {
        "draw, operators, T = 28, every step": lambda: unroll.draw(short, level="op", full=True),
        "draw, cells, T = 1,000, every step": lambda: unroll.draw(graph, full=True),
    }
    for _ in range(rounds):
        for what, job in jobs.items():
            gc.collect()
            begun = time.process_time()
            job()
            found.views.setdefault(what, []).append(time.process_time() - begun)
        for what, draw in pictures.items():
            begun = time.perf_counter()  # Graphviz is a process of its own
            size = len(draw().data)
            found.drawn.setdefault(what, ([], size))[0].append(time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of two lengths; docs/ stays as it is")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--longest", type=float, default=120, help="seconds after which a viewer is given up")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="default: %(default)s")
    chosen = parser.parse_args()
    programs = made_environment(chosen.cache, "viewers", viewers.REQUIREMENTS).parent
    lengths = {viewer: (28, 1000) if chosen.quick else steps for viewer, steps in LENGTHS.items()}
    work = chosen.cache / "pages"
    work.mkdir(parents=True, exist_ok=True)
    found = measure(lengths, 1 if chosen.quick else chosen.rounds, chosen.longest, work, programs)
    found.about = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "browser": f"{viewers.version()}, headless, 1280 x 800, without a GPU",
        "viewers": ", ".join(viewers.REQUIREMENTS).replace("==", " "),
    } | found.about
    text = section(found)
    print(text)
    if not chosen.quick:
        write_section("pages.md", text)


if __name__ == "__main__":
    main()
