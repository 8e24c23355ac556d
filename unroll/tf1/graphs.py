"""TensorFlow 1's default graph: names that are never used twice, collections, and what belongs to it. The core has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from unroll import scopes
from unroll.checks import check_text
from unroll.errors import ArgumentError, ArgumentTypeError, NameNotFoundError
from unroll.parameter import Parameter
from unroll.tensor import Tensor as Core
from unroll.tf1.signatures import takes
from unroll.words import closest

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


class GraphKeys:
    """The names of TensorFlow's collections."""

    GLOBAL_VARIABLES, LOCAL_VARIABLES, TRAINABLE_VARIABLES = "variables", "local_variables", "trainable_variables"
    LOSSES, REGULARIZATION_LOSSES, UPDATE_OPS = "losses", "regularization_losses", "update_ops"


class Effect(NamedTuple):
    """What a run changes: a variable takes a value."""

    parameter: Parameter
    value: Core


class Graph:
    """TensorFlow's graph: tensors and variables by name. `Session.graph_of` gives the core's graph of some tensors."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._collections: dict[str, list[Any]] = {}
        #: Tensors by name, variables among them, and by the core's tensor.
        self.tensors: dict[str, Any] = {}
        self.proxies: dict[Core, Any] = {}
        #: Variables by name, as ``get_variable`` finds them, and the scope in force, of `unroll.tf1.variables`.
        self.variables: dict[str, Any] = {}
        self.scope: Any = None
        #: How often each variable scope was entered, which numbers the names of layers.
        self.entered: dict[str, int] = {}
        #: What happens before a tensor has its value, or before all that is made now; and how random numbers are drawn.
        self.effects: dict[Core, tuple[Effect, ...]] = {}
        self.after: tuple[Effect, ...] = ()
        self.drawn: dict[Core, Any] = {}
        self.seed: int | None = None

    def unique_name(self, name: str) -> str:
        """Return `name` with a number behind it where it is taken, and take it.

        Raises:
            ArgumentError: it is no name.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ArgumentError(f"{name!r} is not a valid scope name; use letters, digits, '.', '_', '-' and '/'")
        key = name.lower()
        count, found = self._used.get(key, 0), name
        while count and found.lower() in self._used:
            found, count = f"{name}_{count}", count + 1
        self._used[key] = max(count, 1)
        self._used.setdefault(found.lower(), 1)
        return found

    def scoped_name(self, name: str) -> str:
        """Return a name under the scope in force, not taken before."""
        return self.unique_name(scopes.join(node_path(), name))

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Make this the graph in which tensors are made, and give it."""
        token = _graphs.set((*_graphs.get(), self))
        try:
            with scopes.at("", ""):
                yield self
        finally:
            _graphs.reset(token)

    def add_to_collection(self, name: str, value: Any) -> None:
        """Put a thing into a collection."""
        self._collections.setdefault(check_text(name, "add_to_collection: name"), []).append(value)

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """Return a collection, of which `scope` keeps what is called so.

        Raises:
            ArgumentError: `scope` is no regular expression.
        """
        found = self._collections.get(check_text(name, "get_collection: name"), [])
        try:
            wanted = re.compile("" if scope is None else check_text(scope, "get_collection: scope"))
        except re.error as error:
            raise ArgumentError(f"get_collection: scope {scope!r} is no regular expression: {error}") from None
        return [item for item in found if wanted.match(getattr(item, "name", ""))]

    def get_tensor_by_name(self, name: str) -> Any:
        """Return a tensor by its name, such as ``"X:0"``.

        Raises:
            NameNotFoundError: there is none.
        """
        if check_text(name, "get_tensor_by_name: name") not in self.tensors:
            near = closest(name, self.tensors)
            raise NameNotFoundError(f"The name {name!r} refers to a Tensor which does not exist in this graph; {near}")
        return self.tensors[name]

    def get_operation_by_name(self, name: str) -> Any:
        """Return what made the tensor ``name:0``."""
        return self.get_tensor_by_name(f"{name}:0").op


_graphs: ContextVar[tuple[Graph, ...]] = ContextVar("unroll_tf1_graphs", default=(Graph(),))
_sessions: ContextVar[tuple[Any, ...]] = ContextVar("unroll_tf1_sessions", default=())


def get_default_graph() -> Graph:
    """Return the graph in which tensors are made now."""
    return _graphs.get()[-1]


def reset_default_graph() -> None:
    """Begin with an empty graph."""
    _graphs.set((*_graphs.get()[:-1], Graph()))


def get_default_session() -> Any:
    """Return the session of ``with tf.Session()``, or the interactive one; None where there is none."""
    return next(iter(reversed(_sessions.get())), None)


def enter_session(session: Any) -> None:
    """Make a session the default one."""
    _sessions.set((*_sessions.get(), session))


def leave_session(session: Any) -> None:
    """Let the session before be the default one again."""
    _sessions.set(tuple(item for item in _sessions.get() if item is not session))


def chosen_session(session: Any, what: str) -> Any:
    """Return the session given, or the default one.

    Raises:
        ArgumentError: there is none.
    """
    found = get_default_session() if session is None else session
    if found is None:
        raise ArgumentError(
            f"Cannot evaluate {what}: there is no default session; use `with tf.Session()` or session=sess"
        )
    return found


def node_path() -> str:
    """Return the scope of names in force, without the timestep that a driver puts there."""
    now = scopes.current()
    return scopes.without_step(now.nodes, now.step, now.cell)


@takes("name_scope", "name=None, default_name=None, values=None")
@contextmanager
def name_scope(name: str | None, default_name: str | None) -> Iterator[str]:
    """Put the names of tensors made inside under another, those of ``tf.Variable`` too; ``get_variable`` does not see it.

    A name that ends in ``/``, such as one that ``with ... as`` gave, is entered as it is.

    Raises:
        ArgumentTypeError: no name.
    """
    name = default_name if name is None else name
    if name is not None and not isinstance(name, str):
        raise ArgumentTypeError(f"name_scope: {name!r} is not a name; a string is wanted")
    name = name or ""
    entered = get_default_graph().scoped_name(name) if name and not name.endswith("/") else name.rstrip("/")
    with scopes.at(scopes.current().variables, entered):
        yield f"{entered}/" if entered else ""


def add_to_collection(name: str, value: Any) -> None:
    """Put a thing into a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """Return a collection of the default graph."""
    return get_default_graph().get_collection(key, scope)


def set_random_seed(seed: int | None) -> None:
    """Let the random numbers of the default graph start from a seed. The distributions are TensorFlow's, the numbers not."""
    get_default_graph().seed = seed


def disable_v2_behavior() -> None:
    """This is TensorFlow 1: there is nothing to disable."""


disable_eager_execution = disable_v2_behavior
