"""Why what looks like a recurrence was not found to be one: the node at which its steps differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unroll.ops.branches import If
from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.loop import Loop
from unroll.ops.opaque import Opaque
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.passes.rerolling.finding import (
    FEWEST_STEPS,
    Chain,
    Recurrence,
    View,
    alike,
    between,
    common_scope,
    counterparts,
    free_pieces,
    guess,
    product_chains,
    without_products,
)
from unroll.passes.rerolling.report import Found
from unroll.tensor import Node, Tensor

_PRODUCTS = (MatMul, Gemm, Conv)
#: How many nodes around two products are looked at for what joins them.
_LOOKED_AT = 256


def missed(view: View, recurrences: Sequence[Recurrence]) -> list[Found]:
    """Return the chains of products with one weight that are in no recurrence, and why."""
    taken = {node for recurrence in recurrences for node in recurrence.members}
    found: list[Found] = []
    for chain in sorted(product_chains(view), key=len, reverse=True):
        for piece in free_pieces(chain, taken):
            scope = common_scope([node.origin for node in piece])
            found.append(Found(scope, len(piece), "", _why(view, piece)))
            taken.update(piece, *(between(view, {one: two}, []) for one, two in pairwise(piece)))
    return found


def _why(view: View, chain: Chain) -> str:
    for first, second, third in zip(chain, chain[1:], chain[2:], strict=False):
        difference = _difference(view, first, second, third)
        if difference:
            return difference
    name, (first, second) = view.graph.name, chain[-2:]
    inside = between(view, {first: second}, [])
    ahead = counterparts(view, inside, {first: second})
    lone = next((node for node in inside if node not in ahead), None)
    if lone is not None:
        if isinstance(lone.op, Opaque):
            return _opaque(view, lone)
        return f"{name(lone)}: nothing after {name(second)} does what this does after {name(first)}"
    pattern = guess(view, chain, 0)
    if pattern is not None and not pattern.input_count:
        return f"{name(first)}: no step reads anything of its own, so these are layers that share a weight"
    if pattern is None:
        return f"{name(first)}: nothing made from here to {name(second)} is read by the step after that"
    return f"{name(first)}: the step from here to {name(second)} was taken for the pattern, and it does not come again"


def circular(view: View, recurrence: Recurrence) -> str:
    """Return why a recurrence cannot be one node: a step reads what was computed outside from the steps before it."""
    start = min(view.place[node] for node in recurrence.members)
    seen: set[Node] = set()
    for item in (tensor for step in recurrence.steps for tensor in step.inputs):
        waiting = [item.node]
        while waiting:
            node = waiting.pop()
            if node in recurrence.members:
                return f"{view.graph.name(item)}: a step reads this, which is computed outside from the steps before it"
            if node is not None and node not in seen and view.place.get(node, -1) >= start:
                seen.add(node)
                waiting += [tensor.node for tensor in view.inputs[node] if tensor is not None]
    name = view.graph.name(recurrence.steps[-1].nodes[0])
    return f"{name}: another loop needs a step of this one, and this one a step of that"


def _opaque(view: View, node: Node) -> str:
    return (
        f"{view.graph.name(node)}: {node.op.name} is none of unroll's operators, so two nodes of it are never taken to do "
        "the same; export the model with it written out in other operators, if that can be"
    )


# -- two steps side by side -------------------------------------------------------------------------------------------


def _difference(view: View, first: Node, second: Node, third: Node) -> str:
    """Return where, walking back, the step from `first` to `second` differs from the next one, to `third`; "" if nowhere."""
    here = {first, *between(view, {first: second}, [])}
    there = {second, *between(view, {second: third}, [])}
    ahead: dict[Node, Node] = {first: second}
    waiting = [(second, third)]
    while waiting:
        one, two = waiting.pop(0)
        if one in ahead:
            if ahead[one] is not two:
                name = view.graph.name
                return f"{name(two)}: read where the step before reads {name(one)} again"
            continue
        ahead[one] = two
        if view.key(one) != view.key(two):
            return _unlike(view, one, two)
        for left, right in zip(view.inputs[one], view.inputs[two], strict=True):
            found = _reads_unlike(view, (one, left, here), (two, right, there))
            if found:
                return found
            if left is not None and right is not None and left.node in here and right.node in there:
                waiting.append((left.node, right.node))
    return ""


def _unlike(view: View, one: Node, two: Node) -> str:
    name = view.graph.name
    for node in (one, two):
        if isinstance(node.op, Opaque):
            return _opaque(view, node)
    if one.op.name == two.op.name:
        seen = [
            f"{node.op!r}" + ("" if len(one.inputs) == len(two.inputs) else f" of {len(node.inputs)} inputs")
            for node in (two, one)
        ]
        return f"{name(two)}: {seen[0]}, and a step before {seen[1]} ({name(one)})"
    return f"{name(two)}: {two.op.name}, and a step before {one.op.name} ({name(one)})"


def _reads_unlike(
    view: View, one: tuple[Node, Tensor | None, set[Node]], two: tuple[Node, Tensor | None, set[Node]]
) -> str:
    """Say how two nodes differ in what they read at one place; "" where they do not."""
    (before, left, here), (after, right, there) = one, two
    if left is right:
        return ""
    name = view.graph.name
    seen = [("nothing" if tensor is None else tensor.described()) for tensor in (left, right)]
    text = f"{name(after)}: reads {seen[1]}, and a step before {name(before)} reads {seen[0]}"
    if left is None or right is None:
        return text
    if (left.node in here) != (right.node in there):
        return f"{text}; only one of these is computed from the state"
    if left.node in here:
        return "" if left.index == right.index else text
    if view.is_fixed(left) != view.is_fixed(right):
        return text
    return text if view.is_fixed(left) and isinstance(after.op, _PRODUCTS) else ""


# -- where nothing looks like a recurrence ----------------------------------------------------------------------------


def nothing_repeats(view: View) -> str:
    """Return what there is in a graph in which nothing looks like a recurrence."""
    return "; ".join(_notes(view))


def _notes(view: View) -> Iterator[str]:
    name = view.graph.name
    for node in view.nodes:
        if isinstance(node.op, (Recurrent, Scan)):
            yield f"{name(node)} is a loop in one node already ({node.op.name})"
            break
    for node in view.nodes:
        if isinstance(node.op, (If, Loop)) or (isinstance(node.op, Opaque) and node.op.holds_graphs):
            kind = node.op.op_type if isinstance(node.op, Opaque) else node.op.name
            yield f"{name(node)}: what is inside this {kind} is not looked at; export the model without it"
            break
    for item in without_products(view, fewest=2):
        yield (
            f"{item.scope or 'some nodes'}: {len(item.steps)} steps repeat, but no product of a state with a weight; they are "
            f"left as they are below {FEWEST_STEPS}"
        )
        return
    products = [node for node in view.nodes if isinstance(node.op, _PRODUCTS)]
    shared = [members for members in alike(view, products) if len(members) > 1]
    if not shared:
        yield f"no weight is used by two products, and nothing else repeats {FEWEST_STEPS} times, each depending on the last"
        return
    for first, second, *_ in shared:
        for one, two in ((first, second), (second, first)):
            join = _joined(view, one, two)
            if join is None:
                continue
            product, node = join
            yield (
                f"{name(node)}: joins what comes of {name(one)} by {name(product)} with {name(two)}, a product with the "
                "same weight; if these are two steps, the first was simplified for a state of zeros and one whole step shows "
                "no pattern: export three steps or more, or a model that is fed its first state"
            )
            return
    first, second, *_ = shared[0]
    yield f"products with one weight, such as {name(first)} and {name(second)}, do not depend on one another"


def _joined(view: View, first: Node, second: Node) -> tuple[Node, Node] | None:
    """Return the last product on the way from `first` to where it meets `second`, and the node where they meet."""
    start = min(view.place[first], view.place[second])
    of: dict[Node, Node | None] = {first: None}  # what is computed from `first`, and the last product on the way
    later: set[Node] = {second}
    for node in view.nodes[start : start + _LOOKED_AT]:
        if node in (first, second):
            continue
        sources = [tensor.node for tensor in view.inputs[node] if tensor is not None and tensor.node is not None]
        earlier = [source for source in sources if source in of]
        if any(source in later for source in sources):
            later.add(node)
            product = next((of[source] for source in earlier if of[source] is not None), None)
            if product is not None:
                return product, node
        elif earlier:
            passed = next((of[source] for source in earlier if of[source] is not None), None)
            of[node] = node if isinstance(node.op, _PRODUCTS) else passed
    return None
