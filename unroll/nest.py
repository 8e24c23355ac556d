"""Nested structures of tensors: tuples, lists, named tuples and dicts, flattened and packed in one fixed order.

Dicts are walked in sorted key order, as TensorFlow does. Anything else is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from unroll.checks import check_text, shown
from unroll.dimensions import shape_text
from unroll.errors import ArgumentTypeError, StructureError
from unroll.words import face

#: What TensorFlow and JAX call what is here.
_ELSEWHERE = {
    "assert_same_structure": "it is nest.check_same_structure",
    "map_structure": "it is nest.map_leaves",
    "pack_sequence_as": "it is nest.pack",
    "tree_flatten": "it is nest.flatten",
    "tree_map": "it is nest.map_leaves",
    "tree_unflatten": "it is nest.pack",
}


def is_nested(structure: object) -> bool:
    """Say whether `structure` is a tuple, list, named tuple or dict.

    Example:
        >>> unroll.nest.is_nested((1, 2)), unroll.nest.is_nested("ab")
        (True, False)
    """
    return isinstance(structure, (tuple, list, dict))


def flatten(structure: Any) -> list[Any]:
    """Return the leaves in order.

    Example:
        >>> unroll.nest.flatten({"b": 1, "a": (2, [3])})  # keys in sorted order
        [2, 3, 1]
    """
    if not is_nested(structure):
        return [structure]
    children = [structure[key] for key in sorted(structure)] if isinstance(structure, dict) else structure
    leaves: list[Any] = []
    for child in children:
        leaves += flatten(child) if is_nested(child) else (child,)
    return leaves


def flatten_with_paths(structure: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf): named tuples give their field names, dicts their keys, sequences their indices.

    Example:
        >>> state = unroll.LSTMStateTuple(c=1, h=2)
        >>> list(unroll.nest.flatten_with_paths([state, 3]))
        [('0/c', 1), ('0/h', 2), ('1', 3)]
    """
    check_text(path, "flatten_with_paths: path")
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _children(structure):
        inner = f"{path}/{key}" if path else str(key)
        if is_nested(child):
            yield from flatten_with_paths(child, inner)
        else:
            yield inner, child


def pack(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return a nest built like `structure` with these leaves.

    Raises:
        StructureError: there are more or fewer leaves than places, or no list of them.

    Example:
        >>> unroll.nest.pack([0, (0, 0)], "abc")
        ['a', ('b', 'c')]
    """
    try:
        rest = list(leaves)
    except TypeError:
        raise StructureError(f"a list of leaves is wanted, not {shown(leaves)}") from None
    places = len(flatten(structure))
    if places != len(rest):
        raise StructureError(f"a nest of {places} leaves cannot be packed from {len(rest)}")
    rest.reverse()
    return _pack(structure, rest)


def _pack(structure: Any, rest: list[Any]) -> Any:
    if not is_nested(structure):
        return rest.pop()
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], rest) for key in sorted(structure)}
        return {key: packed[key] for key in structure}
    children = [_pack(child, rest) for child in structure]
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*children)
    return tuple(children) if isinstance(structure, tuple) else children


def coerced(wanted: Any, seen: Any) -> Any:
    """Return plain tuples and lists as the tuples, named tuples or lists of `wanted` where they have as many parts.

    What fits otherwise, or does not fit, is returned as it is.

    Example:
        >>> unroll.nest.coerced(unroll.BasicLSTMCell(13).state_size, (1, 2))
        LSTMStateTuple(c=1, h=2)
    """
    if not is_nested(wanted) or not isinstance(seen, (tuple, list)) or isinstance(wanted, dict):
        return seen
    if len(seen) != len(wanted) or (hasattr(seen, "_fields") and type(seen) is not type(wanted)):
        return seen
    children = [coerced(part, child) for part, child in zip(wanted, seen, strict=True)]
    return type(wanted)(*children) if hasattr(wanted, "_fields") else type(wanted)(children)


def map_leaves(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """Apply `function` to the leaves of nests built alike, and pack what it returns.

    Raises:
        ArgumentTypeError: `function` is none.

    Example:
        >>> unroll.nest.map_leaves(lambda a, b: a + b, [1, (2, 3)], [10, (20, 30)])
        [11, (22, 33)]
    """
    if not callable(function):
        raise ArgumentTypeError(f"map_leaves: {shown(function)} is no function; map_leaves(function, nest) is wanted")
    columns = [flatten(structure), *(flatten(other) for other in others)]
    return pack(structure, [function(*leaves) for leaves in zip(*columns, strict=True)])


def check_same_structure(wanted: Any, seen: Any, what: str) -> None:
    """Check that two nests are built alike: same kinds of container, same keys, same lengths.

    Raises:
        StructureError: they are not; the message shows both and where they part.

    Example:
        >>> unroll.nest.check_same_structure((1, 2), (3, 4), "state")
        >>> unroll.nest.check_same_structure((1, 2), (3, 4, 5), "state")
        Traceback (most recent call last):
        unroll.errors.StructureError: state: the structure (*, *, *) was given where (*, *) is wanted
    """
    where = _first_difference(wanted, seen, "")
    if where is not None:
        named = type(wanted).__name__ if hasattr(wanted, "_fields") and type(seen) is tuple else ""
        raise StructureError(
            f"{what}: the structure {sketch(seen)} was given where {sketch(wanted)} is wanted"
            + (f" (they differ at {where})" if where else "")
            + (f"; pack it as {named}({', '.join(wanted._fields)})" if named and len(seen) == len(wanted) else "")
        )


def _first_difference(wanted: Any, seen: Any, path: str) -> str | None:
    if not is_nested(wanted):
        return path if is_nested(seen) else None
    if not is_nested(seen) or _kind(wanted) is not _kind(seen) or len(wanted) != len(seen):
        return path
    if isinstance(wanted, dict) and wanted.keys() != seen.keys():
        return path
    for (key, child), (_, other) in zip(_children(wanted), _children(seen), strict=True):
        if is_nested(child) or is_nested(other):
            found = _first_difference(child, other, f"{path}/{key}" if path else str(key))
            if found is not None:
                return found
    return None


def _kind(structure: Any) -> type:
    if isinstance(structure, tuple):
        return type(structure) if hasattr(structure, "_fields") else tuple
    return list if isinstance(structure, list) else dict


def _children(structure: Any) -> list[tuple[Any, Any]]:
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in sorted(structure)]
    if hasattr(structure, "_fields"):
        return list(zip(structure._fields, structure, strict=True))
    return list(enumerate(structure))


def sketch(structure: Any) -> str:
    """Return a nest as a short text, leaves as ``*`` or, for tensors, their shape.

    Example:
        >>> unroll.nest.sketch({"x": [1, None], "h": unroll.placeholder([2, 3], name="h")})
        '{h=(2, 3), x=[*, None]}'
    """
    if not is_nested(structure):
        shape = getattr(structure, "shape", None)
        return shape_text(shape) if isinstance(shape, tuple) else "*" if structure is not None else "None"
    inner = ", ".join(
        f"{key}={sketch(child)}" if isinstance(key, str) else sketch(child) for key, child in _children(structure)
    )
    if isinstance(structure, dict):
        return "{" + inner + "}"
    name = type(structure).__name__ if hasattr(structure, "_fields") else ""
    return f"[{inner}]" if isinstance(structure, list) else f"{name}({inner})"


__all__ = [
    "check_same_structure", "coerced", "flatten", "flatten_with_paths", "is_nested", "map_leaves", "pack", "sketch",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.nest", __all__, lambda: _ELSEWHERE)
