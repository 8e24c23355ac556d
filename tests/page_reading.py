"""A page as a test reads it: its data, and its numbers unpacked without the page's own script."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np
from helpers import Array

import unroll
from unroll.display import placed
from unroll.tensor import Tensor


class Page:
    """What a page holds.

    Args:
        html: the page.
    """

    def __init__(self, html: str) -> None:
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
        packed = re.search(r'<script type="text/plain" id="numbers">(.*?)</script>', html, re.DOTALL)
        assert found is not None and packed is not None
        self.data: dict[str, Any] = json.loads(found[1])
        self._bytes = gzip.decompress(base64.b64decode(packed[1]))

    def plane(self, at: int, count: int, decimals: int | None = None) -> Array:
        """Return numbers: of four bytes each, or of two with so many decimals; the bytes of one weight stand together."""
        wide = 4 if decimals is None else 2
        raw = np.frombuffer(self._bytes, np.uint8, wide * count, at).reshape(wide, count).T.copy()
        if decimals is None:
            return raw.view("<f4").ravel()
        whole = raw.view("<i2").ravel().astype(float)
        odd = {-32768.0: np.nan, 32767.0: np.inf, -32767.0: -np.inf}
        return np.array([odd.get(one, one / 10**decimals) for one in whole])

    def steps(self, row: int, entry: Any) -> list[int]:
        """Return the steps, counted from the row's first, at which an entry has numbers."""
        if "count" in entry:
            return [entry["first"] + number for number in range(entry["count"])]
        return list(entry.get("steps", range(self.data["rows"][row]["steps"])))

    def values(self, row: int, slot: int) -> tuple[Array, Any] | None:
        """Return what a slot holds, ``(batch or 1, steps, elements)``, and its entry; None where the page has nothing."""
        found = self.data["rows"][row]["slots"][slot]
        if found is None:
            return None
        if "within" in found:
            whole = self.values(row, found["within"])
            return None if whole is None else (whole[0][..., found["from"] : found["from"] + found["n"]], whole[1])
        if "parts" in found:
            parts = [self.values(row, part) for part in found["parts"]]
            held = [part for part in parts if part is not None]
            if len(held) < len(parts):
                return None
            batch = max(len(array) for array, _ in held)
            arrays = [np.broadcast_to(array, (batch, *array.shape[1:])) for array, _ in held]
            return np.concatenate(arrays, -1), {"d": min((e["d"] for _, e in held if "d" in e), default=None)}
        steps = len(self.steps(row, found))
        width = -(-found["n"] // found.get("k", 1))
        numbers = self.plane(found["at"], found["b"] * steps * width, found.get("d"))
        return numbers.reshape(found["b"], steps, width), found


def random_feeds(graph: unroll.Graph, batch: int = 3, seed: int = 0) -> dict[str, Array]:
    """Return feeds for every input: numbers about zero, small whole numbers, and both truths."""
    rng = np.random.default_rng(seed)
    sizes: dict[str, int] = {}
    feeds: dict[str, Array] = {}
    for spec in graph.input_specs:
        shape = [size if isinstance(size, int) else sizes.setdefault(str(size), batch) for size in spec.shape]
        kinds = {"f": rng.normal(size=shape), "b": rng.random(shape) < 0.5, "i": rng.integers(1, 4, shape)}
        feeds[spec.name] = kinds[spec.dtype.kind].astype(spec.dtype)
    return feeds


def name_at(name: Any, step: int, place: int) -> str:
    """Return the name of an operator at a step, the so-many-th of its template."""
    if isinstance(name, str):
        return name
    number = step if isinstance(name, list) else name.get("by", 1) * step + name.get("and", 0)
    return str(name[place]) if isinstance(name, list) else f"{name['before']}{number}{name['after']}"


def outputs_at(graph: unroll.Graph, page: Page, around: bool) -> dict[tuple[int, int, int], Tensor]:
    """Return for each row, slot and step (counted from the row's first) the tensor that the page says it is, by name.

    Args:
        graph: the graph.
        page: its page.
        around: of what stands around the loops, not of the loops.
    """
    nodes = {graph.name(node): node for node in graph.nodes}
    found: dict[tuple[int, int, int], Tensor] = {}
    for number, row in enumerate(page.data["rows"]):
        if "body" in row or row["around"] != around:  # the operators of a Scan's body are not the graph's own
            continue
        for at, template in enumerate(row["templates"]):
            steps = [step for run in row["runs"] if run[0] == at for step in range(run[1], run[2] + 1)]
            for place, step in enumerate(steps):
                for op, name in zip(template["ops"], template["names"], strict=True):
                    node = nodes[name_at(name, step, place)]
                    assert node.op.name == op["op"]
                    for tensor, slot in zip(node.outputs, op["slots"], strict="more" not in op):
                        found[number, slot, step - row["first"]] = tensor
    return found


def check_numbers(graph: unroll.Graph, feeds: dict[str, np.ndarray]) -> int:
    """Compare each number of a page with `graph.run`'s, by the names that the page gives; return how many there are."""
    page = Page(unroll.view(graph, feeds=feeds).html)
    arrays = {}
    for around in (False, True):
        # What is inside operators has the numbers of the same operators written out.
        inside = page.data["flat"] and not around
        shown = placed(unroll.unroll(graph)[0] if inside else graph)
        tensors = outputs_at(shown, page, around)
        arrays |= dict(zip(tensors, shown.run(feeds, list(tensors.values())), strict=True))
    count = 0
    for (row, slot, step), array in arrays.items():
        found = page.values(row, slot)
        if found is None:
            continue
        values, entry = found
        held = values[:, page.steps(row, entry).index(step)]
        wanted = np.asarray(array, float).reshape(len(held), -1) if array.size == held.size else None
        if wanted is None:  # the first rows of the batch
            wanted = np.asarray(array, float).reshape(len(array), -1)[: len(held)]
        # A number of two bytes is cut after its last decimal, which is not shown.
        apart = 1.01 * 10.0 ** -entry["d"] if entry.get("d") is not None else 1e-6
        np.testing.assert_allclose(held, wanted, rtol=1e-6, atol=apart)
        count += held.size
    return count
