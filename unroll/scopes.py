"""Where in a user's program a node or Parameter is made: two paths, a timestep, a cell and a gate.

The variable path (``rnn/basic_lstm_cell``) names Parameters and never holds a timestep, so that all steps share them. The
node path (``rnn/t3/basic_lstm_cell/f``) names nodes. Both live in a context variable, with no counters beside them:
tracing the same program twice gives the same names.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from unroll.arguments import checked
from unroll.bearers import Bearer, Place
from unroll.checks import check_int, check_size
from unroll.errors import ArgumentError
from unroll.initializers import Draw, InitializerLike, get_initializer


class Origin(NamedTuple):
    """Where a node came from; a node that a pass merged from several has several."""

    scope: str  #: the node path, such as ``rnn/t3/basic_lstm_cell/f``
    step: int | None  #: the timestep, counted from 0
    cell: str | None  #: the variable path of the innermost cell, such as ``rnn/basic_lstm_cell``
    gate: str | None  #: the gate within the cell, such as ``f``
    bearers: tuple[Place, ...] = ()  #: the layers and modules in its paths, from the outside in


class ScopeState(NamedTuple):
    """The scope in force at one line of a program."""

    variables: str = ""
    nodes: str = ""
    step: int | None = None
    cell: str | None = None
    gate: str | None = None
    seed: int | None = None
    initializer: Draw | None = None
    provenance: frozenset[Origin] = frozenset({Origin("", None, None, None)})  #: of a node made here
    bearers: tuple[Place, ...] = ()  #: the layers and modules that are entered, from the outside in


def _state(
    within: ScopeState,
    variables: str,
    nodes: str,
    step: int | None,
    cell: str | None,
    gate: str | None,
    seed: int | None = None,
    initializer: Draw | None = None,
    bearers: tuple[Place, ...] | None = None,
) -> ScopeState:
    bearers = within.bearers if bearers is None else bearers
    provenance = frozenset((Origin(nodes, step, cell, gate, bearers),))
    seed = within.seed if seed is None else seed
    return ScopeState(variables, nodes, step, cell, gate, seed, initializer or within.initializer, provenance, bearers)


_OUTERMOST = ScopeState()
_current: ContextVar[ScopeState] = ContextVar("unroll_scope", default=_OUTERMOST)


def current() -> ScopeState:
    """Return the scope in force."""
    return _current.get()


def join(path: str, name: str) -> str:
    """Join two parts of a path, either of which may be empty."""
    return f"{path}/{name}" if path and name else path or name


class _Entered:
    """A context inside which a scope is in force; a class, because one is entered several times a step."""

    __slots__ = ("_state", "_token")

    def __init__(self, state: ScopeState) -> None:
        self._state = state

    def __enter__(self) -> None:
        self._token = _current.set(self._state)

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._token)


@checked()
def scope(
    name: str, *, seed: int | None = None, initializer: InitializerLike | None = None
) -> AbstractContextManager[None]:
    """Put everything made inside under `name`, Parameters and nodes alike.

    Args:
        name: one or more path components, such as ``"encoder"``.
        seed: seed for the first values of Parameters made inside; each is drawn from its own name and this.
        initializer: draws the Parameters made inside whose cell or module was not given an initialiser of its own: a name
            such as ``"zeros"``, a number, an array, an object of `unroll.initializers`, or a function of (shape, dtype).

    Returns:
        A context manager.

    Raises:
        ArgumentError: `name` is empty or not a path, or no initialiser has that name.
        ArgumentTypeError: `seed` is not an int, or `initializer` is none of these.

    Example:
        >>> with unroll.scope("encoder"):
        ...     w = unroll.Parameter([1.0], name="w")
        >>> w.name
        'encoder/w'
    """
    check_name(name, "scope")
    seed = None if seed is None else check_int(seed, f"scope {name!r}: seed")
    draw = None if initializer is None else get_initializer(initializer, f"scope {name!r}: initializer")
    now = current()
    variables, nodes = join(now.variables, name), join(now.nodes, name)
    return _Entered(_state(now, variables, nodes, now.step, now.cell, now.gate, seed, draw))


def at(
    variables: str, nodes: str, initializer: Draw | None = None, seed: int | None = None
) -> AbstractContextManager[None]:
    """Put Parameters made inside under one path and nodes under another, whatever scope is in force: for the faces of
    frameworks that have paths of their own.
    """
    now = current()
    return _Entered(_state(now, variables, nodes, now.step, now.cell, now.gate, seed, initializer))


def at_step(step: int) -> AbstractContextManager[None]:
    """Mark nodes made inside as belonging to timestep `step`; Parameters do not see it."""
    now = current()
    return _Entered(_state(now, now.variables, join(now.nodes, f"t{step}"), step, now.cell, now.gate))


@checked()
def step(number: int) -> AbstractContextManager[None]:
    """Mark everything made inside as belonging to one timestep, in a loop of your own; pictures have a column for each
    step.

    Args:
        number: the timestep, from 0 on.

    Returns:
        A context manager.

    Raises:
        ArgumentError: below 0.
        ArgumentTypeError: not an int.

    Example:
        >>> cell, x = unroll.GRUCell(5), unroll.placeholder([2, 3], name="x")
        >>> state = cell.zero_state(2)
        >>> for t in range(2):
        ...     with unroll.step(t):
        ...         output, state = cell(x, state)
        >>> unroll.Graph([x], output).name(output)
        't1/gru_cell/h'
    """
    return at_step(check_size(number, "step", least=0))


def in_cell(name: str) -> AbstractContextManager[None]:
    """Enter a cell: a scope whose variable path is also the cell's identity across timesteps."""
    now = current()
    variables = join(now.variables, name)
    return _Entered(_state(now, variables, join(now.nodes, name), now.step, variables, None))


def bearing(bearer: Bearer, cell: bool = False) -> AbstractContextManager[None]:
    """Enter the scope of a layer or module, or of a cell that is one: `scope` and `in_cell` where a graph may number the
    name.
    """
    now, name = current(), bearer.name
    variables, nodes = join(now.variables, name), join(now.nodes, name)
    place = Place(bearer, *(path.count("/") + 1 if path else 0 for path in (now.variables, now.nodes)))
    within, gate = (variables, None) if cell else (now.cell, now.gate)
    return _Entered(_state(now, variables, nodes, now.step, within, gate, bearers=(*now.bearers, place)))


def in_gate(name: str) -> AbstractContextManager[None]:
    """Mark nodes made inside as belonging to gate `name` of the cell; Parameters do not see it."""
    now = current()
    return _Entered(_state(now, now.variables, join(now.nodes, name), now.step, now.cell, name))


def without_step(path: str, step: int | None, cell: str | None = None) -> str:
    """Return a path of nodes without its timestep.

    A layer may be called ``t0`` as well: of several parts that are called like the step, that one is the step without which
    the path leads into the cell, else the last.

    Args:
        path: the scope, or the name, of a node.
        step: its timestep, or None.
        cell: the path of its cell's variables, or None.
    """
    parts, mark = path.split("/"), f"t{step}"
    if step is None or mark not in parts:
        return path
    places = [place for place, part in enumerate(parts) if part == mark]
    found = ["/".join(parts[:place] + parts[place + 1 :]) for place in reversed(places)]
    inside = [item for item in found if cell is not None and f"{item}/".startswith(f"{cell}/")]
    return next(iter([*inside, *found]))


def beside_steps(name: str) -> AbstractContextManager[None]:
    """Name nodes made inside under `name` without entering it for Parameters."""
    now = current()
    return _Entered(_state(now, now.variables, join(now.nodes, name), now.step, now.cell, now.gate))


def beside(origin: Origin | None) -> AbstractContextManager[None]:
    """Give nodes made inside the scope, step and cell of `origin`, such as the cell whose result they continue; None
    changes nothing.
    """
    now = current()
    if origin is None:
        return _Entered(now)
    return _Entered(_state(now, now.variables, origin.scope, origin.step, origin.cell, None, bearers=origin.bearers))


def check_name(name: object, what: str) -> str:
    """Return `name` where it can name something in a graph.

    Raises:
        ArgumentError: it is not a string, is empty, has an empty path component or a control character.
    """
    if not isinstance(name, str) or not name or not all(name.split("/")) or not name.isprintable():
        raise ArgumentError(
            f"{what}: {name!r} is not a name; use a non-empty string of printable characters, parts joined by single '/'"
        )
    return name


_PACKAGE = str(Path(__file__).parent)


def user_line() -> str:
    """Return ``file:line`` of the innermost frame outside this package: the line of the user's program."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
