"""Layers and modules without a name that one graph would call alike: it numbers them, ``lstm`` and ``lstm_1``, as Keras counts.

The numbers are given in the order in which the layers first made something, when the first graph of them is made. A name that
somebody may have seen stays: one that was given, one that an earlier graph has used, one that was read, and one whose weights
were read, since a first value is drawn from the name. Where two were read, the later one is numbered all the same, with a
warning. So a graph whose names do not clash is left as it is, and one program always gives one graph. Names that clash and
were given, or are in earlier graphs, are an error (`unroll.naming`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from unroll.bearers import Bearer, Place, renamed
from unroll.errors import warn
from unroll.parameter import Parameter
from unroll.scopes import Origin, join
from unroll.tensor import Node, Placeholder

_numbering = threading.Lock()

#: What has a name that is made of a layer's: the Parameters and, of a stateful layer, the inputs of a graph.
Source = Placeholder | Parameter


def settle_names(sources: Sequence[Source], nodes: Sequence[Node]) -> None:
    """Make the names of all layers and modules of a graph final, with numbers where two would be called alike.

    Args:
        sources: the graph's inputs and Parameters, in the order of first use.
        nodes: its nodes; those under a name that changes are told so.
    """
    if any(source.bearers for source in sources):
        number_names(sources)
        with _numbering:
            bearers = {place.bearer for source in sources for place in source.bearers}
            numbered = {bearer for bearer in bearers if bearer.name != bearer.base}
            if numbered:
                _tell(nodes, numbered)
            for source in sources:
                for place in source.bearers:
                    place.bearer.settled = True


def number_names(sources: Sequence[Source]) -> None:
    """Number the layers and modules of one program where two would be called alike; names that are not final yet stay so.

    Args:
        sources: inputs and Parameters, in the order of first use.
    """
    with _numbering:
        if len({_name(source) for source in sources}) < len(sources):
            _number(sorted(sources, key=lambda source: [place.bearer.made for place in source.bearers]))


def distinct_bearer(one: Source, other: Source) -> Place | None:
    """Return the outermost layer or module that one of two sources is of, and the other is not."""
    known = {place.bearer for place in other.bearers}
    return next((place for place in one.bearers if place.bearer not in known), None)


def _number(sources: Sequence[Source]) -> None:
    """Number one layer after another until no names clash that can change."""
    read = {place.bearer for item in sources if isinstance(item, Parameter) and item.shown for place in item.bearers}
    read |= {place.bearer for item in sources for place in item.bearers if place.bearer.read}
    while (place := _next(sources, read) or _next(sources, set())) is not None:
        bearer = place[0].bearer
        bearer.name = _free_name(place[0], place[1], sources)
        bearer.settled = True
        for source in sources:
            for item in source.bearers:
                if item.bearer is bearer:
                    source.rename(renamed(_name(source), item.variables, bearer.name))
        if bearer in read:
            warn(
                f"the {bearer.kind} {bearer.base!r} is called {bearer.name!r} from here on: two without a name of their own "
                f"are in one graph, and both were read before. Look for its weights under {bearer.name!r}; first values that "
                f"were read stay, drawn alike for both. {bearer.kind}(..., name=...) gives a name of its own"
            )


def _name(source: Source) -> str:
    """Return the name of a source as it is, which is not to read it as a user does."""
    return source.hint or ""


def _next(sources: Sequence[Source], kept: set[Bearer]) -> tuple[Place, Source] | None:
    """Return the layer to number next and one of its weights: the later one of two whose names clash, where it may change and
    is not among those to keep.
    """
    first: dict[str, Source] = {}
    for source in sources:
        other = first.setdefault(_name(source), source)
        if other is not source:
            for late, early in ((source, other), (other, source)):
                place = distinct_bearer(late, early)
                if place is not None and not place.bearer.settled and place.bearer not in kept:
                    return place, late
    return None


def _free_name(place: Place, source: Source, sources: Sequence[Source]) -> str:
    """Return the name with the first number that no other path of the graph has in this place."""
    within = "/".join(_name(source).split("/")[: place.variables])
    taken = {path for item in sources for path in _beginnings(_name(item))}
    number = 1
    while join(within, f"{place.bearer.base}_{number}") in taken:
        number += 1
    return f"{place.bearer.base}_{number}"


def _beginnings(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _tell(nodes: Iterable[Node], changed: set[Bearer]) -> None:
    """Put numbered names into the provenance of nodes, those too that were traced before an earlier graph gave them."""
    new: dict[frozenset[Origin], frozenset[Origin]] = {}
    for node in nodes:
        found = new.get(node.provenance)
        if found is None:
            found = new[node.provenance] = frozenset(_renamed(origin, changed) for origin in node.provenance)
        node.provenance = found


def _renamed(origin: Origin, changed: set[Bearer]) -> Origin:
    for place in origin.bearers:
        if place.bearer in changed:
            name = place.bearer.name
            cell = None if origin.cell is None else renamed(origin.cell, place.variables, name)
            origin = origin._replace(scope=renamed(origin.scope, place.nodes, name), cell=cell)
    return origin
