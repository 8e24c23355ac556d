"""Statements made fewer: states are written where they live, and loops over the same elements are joined.

Preserves what is computed, element by element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from unroll.export.c.expressions import Expr
from unroll.export.c.layout import Buffer, View
from unroll.export.c.statements import Elementwise, Loop, Product, Statement, Term, views_of


def tidied(statements: Sequence[Statement], lasting: set[Buffer]) -> list[Statement]:
    """Return the statements, fewer of them.

    Args:
        statements: those of a program.
        lasting: buffers that somebody reads later.
    """
    found = _joined(_all_in_place(_read_by_somebody(statements, lasting)))
    reads = Counter(view.buffer for statement in found for view in statement.reads())
    for statement in _elementwise(found):
        _hide(statement, reads, lasting)
    return found


def _read_by_somebody(statements: Sequence[Statement], lasting: set[Buffer]) -> list[Statement]:
    """Return statements without those that fill what nobody reads."""
    found = list(statements)
    while True:
        read = {view.buffer for statement in found for view in statement.reads()} | lasting
        kept = _without(found, read)
        if _count(kept) == _count(found):
            return kept
        found = kept


def _without(statements: Sequence[Statement], read: set[Buffer]) -> list[Statement]:
    found: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Loop):
            body = _without(statement.body, read)
            if body:
                found.append(replace(statement, body=body))
        elif any(view.buffer in read for view in statement.writes()):
            found.append(statement)
    return found


def _count(statements: Sequence[Statement]) -> int:
    return sum(1 + (_count(item.body) if isinstance(item, Loop) else 0) for item in statements)


def _all_in_place(statements: Sequence[Statement]) -> list[Statement]:
    for statement in statements:
        if isinstance(statement, Loop):
            statement.body = _in_place(_all_in_place(statement.body))
    return list(statements)


def _elementwise(statements: Sequence[Statement]) -> Iterator[Elementwise]:
    for statement in statements:
        if isinstance(statement, Loop):
            yield from _elementwise(statement.body)
        elif isinstance(statement, Elementwise):
            yield statement


# -- states -----------------------------------------------------------------------------------------------------------


def _in_place(body: list[Statement]) -> list[Statement]:
    """Return a loop's body in which what becomes a state is computed where the state is, where nobody reads the old one
    after that.
    """
    for copy in list(body):
        pair = _copied_whole(copy)
        if pair is None:
            continue
        state, source = pair
        makers = [at for at, item in enumerate(body) if any(view.buffer is source.buffer for view in item.writes())]
        if len(makers) != 1 or not _may_write(body, makers[0], copy, state, source):
            continue
        moved = [_with_buffer(item, source.buffer, state.buffer) for item in body if item is not copy]
        if all(item is not None for item in moved):
            body = [item for item in moved if item is not None]
    return body


def _copied_whole(statement: Statement) -> tuple[View, View] | None:
    """Return a state and what is put there as it is; None where a statement is no such copy."""
    if not isinstance(statement, Elementwise) or len(statement.items) != 1:
        return None
    state, expression = statement.items[0]
    source = expression.view
    if (
        source is None
        or expression.index is not None
        or source.buffer.kind != "scratch"
        or state.buffer.kind != "scratch"
    ):
        return None
    alike = (state.shape, state.strides, state.offset, state.moving, state.block) == (
        source.shape, source.strides, source.offset, source.moving, source.block,
    )  # fmt: skip
    whole = state.buffer.size == source.buffer.size and not state.moving
    return (state, source) if alike and whole else None


def _may_write(body: list[Statement], at: int, copy: Statement, state: View, source: View) -> bool:
    maker = body[at]
    if isinstance(maker, Elementwise):
        if any(view.buffer is state.buffer and view.place != state.place for view in maker.reads()):
            return False
    elif not isinstance(maker, Product) or any(view.buffer is state.buffer for view in maker.reads()):
        return False
    later = (item for item in body[at + 1 :] if item is not copy)
    used = (view.buffer for item in later for view in (*item.reads(), *item.writes()))
    before = (view.buffer for item in body[:at] for view in (*item.reads(), *item.writes()))
    return state.buffer not in used and source.buffer not in before


def _with_buffer(statement: Statement, old: Buffer, new: Buffer) -> Statement | None:
    """Return a statement that uses one buffer in the place of another; None where it cannot be changed."""
    if all(view.buffer is not old for view in (*statement.reads(), *statement.writes())):
        return statement

    def moved(view: View) -> View:
        return replace(view, buffer=new) if view.buffer is old else view

    if isinstance(statement, Elementwise):
        items = [(moved(view), _moved(expression, old, new)) for view, expression in statement.items]
        return Elementwise(items, statement.about)
    if isinstance(statement, Product):
        terms = [Term([moved(piece) for piece in term.pieces], term.weights) for term in statement.terms]
        begin = None if statement.begin is None else moved(statement.begin)
        return replace(statement, out=moved(statement.out), terms=terms, begin=begin)
    return None


def _moved(expression: Expr, old: Buffer, new: Buffer) -> Expr:
    view = expression.view
    if view is not None and view.buffer is old:
        view = replace(view, buffer=new)
    index = None if expression.index is None else _moved(expression.index, old, new)
    return replace(expression, view=view, index=index, args=tuple(_moved(arg, old, new) for arg in expression.args))


# -- loops over the same elements -------------------------------------------------------------------------------------


def _joined(statements: list[Statement]) -> list[Statement]:
    """Return statements in which neighbours that go over the same elements are one."""
    found: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Loop):
            statement.body = _joined(statement.body)
        before = found[-1] if found else None
        if isinstance(before, Elementwise) and isinstance(statement, Elementwise) and _fits(before, statement):
            found[-1] = Elementwise([*before.items, *statement.items], before.about)
        else:
            found.append(statement)
    return found


def _fits(first: Elementwise, second: Elementwise) -> bool:
    """Say whether two statements may be one: element by element, each reads only what the other has for the same one."""
    if first.shape != second.shape or first.unit != second.unit:
        return False
    if any(leaf.index is not None for _, item in second.items for leaf in item.leaves()):
        return False
    made = {view.buffer: view.place for view in first.writes()}
    if any(view.buffer in made and made[view.buffer] != view.place for view in second.reads()):
        return False
    taken = {view.buffer: view.place for view in second.writes()}
    if any(view.buffer in taken and taken[view.buffer] != view.place for view in first.reads()):
        return False
    return not made.keys() & taken.keys()


def _hide(statement: Elementwise, reads: Counter[Buffer], lasting: set[Buffer]) -> None:
    """Say which items of a statement only later items of it read."""
    for number, (view, _) in enumerate(statement.items):
        if view.buffer.kind != "scratch" or view.buffer in lasting:
            continue
        early = [leaf for _, item in statement.items[: number + 1] for leaf in views_of(item)]
        late = [leaf for _, item in statement.items[number + 1 :] for leaf in views_of(item)]
        inside = sum(leaf.buffer is view.buffer for leaf in late)
        if not any(leaf.buffer is view.buffer for leaf in early) and inside == reads[view.buffer]:
            statement.hidden.add(number)
