"""Where to look for recurrences: nodes that read the same weight again and again, each depending on the one before it.

A chain only proposes: what comes of it is compared node by node afterwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet

from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Node, Tensor

Chain = list[Node]
#: How many nodes upwards are compared, where the operator and its weights do not tell nodes apart.
_DEEP = 2


def product_chains(view: View, taken: AbstractSet[Node] = frozenset()) -> list[Chain]:
    """Return the chains of products with one weight, such as the state's with its kernel.

    Where two layers share their weights, their products are told apart by what they read as well, up to nodes of `taken`.
    """
    products = [node for node in view.nodes if isinstance(node.op, (MatMul, Gemm, Conv)) and node not in taken]
    found = _all_chains(view, alike(view, products))
    return found + [chain for chain in _all_chains(view, _classes(view, products, _DEEP, taken)) if chain not in found]


def other_chains(view: View, taken: set[Node]) -> list[Chain]:
    """Return the chains of nodes outside `taken` that are alike and read from nodes that are alike."""
    free = [node for node in view.nodes if node not in taken and node not in view.fixed]
    return _all_chains(view, _classes(view, free, _DEEP))


def alike(view: View, nodes: Sequence[Node]) -> list[list[Node]]:
    """Group nodes that are the same operator on the same weights."""
    return _classes(view, nodes, depth=0)


def free_pieces(chain: Chain, taken: set[Node]) -> list[Chain]:
    """Return the pieces of a chain between nodes that are taken, each at least two nodes long, the longest first."""
    pieces: list[Chain] = [[]]
    for node in chain:
        if node in taken:
            pieces.append([])
        else:
            pieces[-1].append(node)
    return sorted((piece for piece in pieces if len(piece) > 1), key=len, reverse=True)


def _all_chains(view: View, classes: Sequence[list[Node]]) -> list[Chain]:
    found = [chain for members in classes if len(members) > 1 for chain in _chains(view, members)]
    return [chain for chain in found if len(chain) > 1]


def _classes(view: View, nodes: Sequence[Node], depth: int, taken: AbstractSet[Node] = frozenset()) -> list[list[Node]]:
    """Group nodes that are alike: the same operator on the same weights, likewise `depth` nodes upwards or up to `taken`."""
    numbers: dict[Hashable, int] = {}
    known: dict[tuple[Node, int], int] = {}

    def number(node: Node, depth: int) -> int:
        if (node, depth) not in known:
            signature = (view.key(node), *[source(tensor, depth) for tensor in view.inputs[node]])
            known[node, depth] = numbers.setdefault((depth, signature), len(numbers))
        return known[node, depth]

    def source(tensor: Tensor | None, depth: int) -> Hashable:
        if tensor is None or view.is_fixed(tensor):
            return tensor
        if tensor.node in taken:
            return True
        return (number(tensor.node, depth - 1), tensor.index) if depth and tensor.node is not None else None

    classes: dict[int, list[Node]] = {}
    for node in nodes:
        classes.setdefault(number(node, depth), []).append(node)
    return list(classes.values())


def _chains(view: View, members: Sequence[Node]) -> list[Chain]:
    """Link each member to the nearest one that it depends on; where two members are linked to one, its chain ends there."""
    wanted = set(members)
    first, last = view.place[members[0]], view.place[members[-1]]
    nearest: dict[Node, tuple[int, Node]] = {}  # the deepest member each node depends on, and how deep it is
    before: dict[Node, Node] = {}
    for node in view.nodes[first : last + 1]:
        deepest: tuple[int, Node] | None = None
        for tensor in view.inputs[node]:
            found = nearest.get(tensor.node) if tensor is not None and tensor.node is not None else None
            if found is not None and (deepest is None or found[0] > deepest[0]):
                deepest = found
        if node in wanted:
            if deepest is not None:
                before[node] = deepest[1]
            nearest[node] = (0 if deepest is None else deepest[0] + 1, node)
        elif deepest is not None:
            nearest[node] = deepest
    return _linked(members, before)


def _linked(members: Sequence[Node], before: dict[Node, Node]) -> list[Chain]:
    after: dict[Node, list[Node]] = {}
    for node, earlier in before.items():
        after.setdefault(earlier, []).append(node)
    starts = [node for node in members if node not in before or len(after[before[node]]) > 1]
    chains = []
    for node in starts:
        chain = [node]
        while len(following := after.get(chain[-1], [])) == 1:
            chain.append(following[0])
        chains.append(chain)
    return chains
