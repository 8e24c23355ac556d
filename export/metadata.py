"""What a model's metadata says beyond ONNX: which state lives between runs, what may be fed, and which nodes are of
several places. Anyone can have written it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

from onnx import ModelProto

from unroll.dimensions import Dimension, Least, Limit, Requirement, parse_dimension
from unroll.errors import ModelError
from unroll.feeds import InputSpec
from unroll.tensor import Node

#: Where a model says which of its outputs is the next value of which input: a JSON object of names.
STATES_KEY = "unroll.states"
#: Where a model says between which values each input must be: a JSON object of names, each with a list of (least,
#: most). The most may be a size that a run decides, in the words of `dim_param`: "time".
LIMITS_KEY = "unroll.limits"
#: Where a model says how large sizes that a run decides must be: a JSON object of sizes, in the words of `dim_param`, each with
#: the least number. A loop takes a step: {"time": 1}.
LEAST_KEY = "unroll.least"
#: Where a model says which nodes a pass has merged from those of several places: a JSON object with the key "nodes" and a
#: list of names. Each has the name of one that it was made from.
MERGED_KEY = "unroll.merged"
#: A component of a node's name that reads as a timestep.
STEP_NAME = re.compile(r"t(0|[1-9][0-9]{0,8})")


#: A model's metadata is no longer than this; 100,000 states of long names are.
_MOST_CHARACTERS = 2**24
_INT64 = 2**63


def states_of(model: ModelProto, inputs: Collection[str], outputs: Collection[str]) -> dict[str, str]:
    """Return which output is the next value of which input.

    Raises:
        ModelError: it is no JSON object of names, or names what is not there.
    """
    found = _metadata(model, STATES_KEY)
    if not all(isinstance(output, str) and name in inputs and output in outputs for name, output in found.items()):
        raise ModelError(
            f"the model's metadata {STATES_KEY!r} names inputs or outputs that it does not have: {_shown(found)}; it is "
            "{input: output}"
        )
    return found


def limits_as_json(specs: Iterable[InputSpec]) -> dict[str, list[list[Any]]]:
    """Return between which values inputs must be, as `LIMITS_KEY` says it."""
    return {
        spec.name: [[item.least, item.most if isinstance(item.most, int) else str(item.most)] for item in spec.limits]
        for spec in specs
        if spec.limits
    }


def limits_of(model: ModelProto) -> dict[str, tuple[Limit, ...]]:
    """Return between which values each input must be.

    Raises:
        ModelError: it is no JSON object of such pairs.
    """
    found = _metadata(model, LIMITS_KEY)
    if not all(isinstance(pairs, list) and all(map(_is_pair, pairs)) for pairs in found.values()):
        raise ModelError(
            f"the model's metadata {LIMITS_KEY!r} is not {{name: [[least, most]]}} of whole numbers, or of a "
            f"size: {_shown(found)}"
        )
    return {
        name: tuple(
            Limit(name, least, parse_dimension(most) if isinstance(most, str) else most, "the model's metadata")
            for least, most in pairs
        )
        for name, pairs in found.items()
    }


def least_as_json(conditions: Iterable[Requirement | Least]) -> dict[str, int]:
    """Return how large sizes must be, as `LEAST_KEY` says it."""
    found: dict[str, int] = {}
    for item in conditions:
        if isinstance(item, Least) and isinstance(item.size, Dimension):
            found[str(item.size)] = max(item.least, found.get(str(item.size), 0))
    return found


def least_of(model: ModelProto) -> list[Least]:
    """Return how large sizes that a run decides must be.

    Raises:
        ModelError: it is no JSON object of such numbers.
    """
    found = _metadata(model, LEAST_KEY)
    if not all(type(least) is int and 0 <= least < _INT64 for least in found.values()):
        raise ModelError(
            f"the model's metadata {LEAST_KEY!r} is not {{size: least}} of whole numbers from 0 on: {_shown(found)}"
        )
    return [Least(parse_dimension(size), least, "the model's metadata") for size, least in found.items()]


def is_merged(node: Node) -> bool:
    """Say whether a node is of several places, or of none though its name reads as if it were at a timestep."""
    if len(node.provenance) > 1:
        return True
    scope, *place = node.origin[:4]
    return place == [None, None, None] and any(map(STEP_NAME.fullmatch, scope.split("/")))


def merged_of(model: ModelProto) -> frozenset[str]:
    """Return the names of nodes that stand for those of several places.

    Raises:
        ModelError: it is no JSON object with a list of names.
    """
    found = _metadata(model, MERGED_KEY)
    names = found.get("nodes", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"the model's metadata {MERGED_KEY!r} is not {{'nodes': [name]}}: {_shown(found)}")
    return frozenset(names)


def _is_pair(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    size = isinstance(pair[1], str) and isinstance(parse_dimension(pair[1]), Dimension)
    numbers = pair[:1] if size else pair
    return all(type(end) is int and abs(end) < _INT64 for end in numbers)


def _metadata(model: ModelProto, key: str) -> dict[str, Any]:
    """Return a JSON object of the metadata, empty where there is none."""
    text = next((item.value for item in model.metadata_props if item.key == key), "{}")
    try:
        found = json.loads(text) if len(text) <= _MOST_CHARACTERS else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ModelError(f"the model's metadata {key!r} is not a JSON object: {_shown(text)}")
    return found


def _shown(what: object) -> str:
    return str(what)[:200]
