"""What a graph is, apart from what can be done with it: inputs, outputs, the nodes between them in topological order, names.

Whatever only reads a graph (its evaluator, summary and views, the body of a loop) takes a `Structure`;
`unroll.graph.Graph` is one that also runs, streams, changes its Parameters and shows itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from unroll import nest
from unroll.checks import shown
from unroll.dimensions import (
    Condition,
    Least,
    Limit,
    Requirement,
    Shape,
    shape_text,
    solve,
    substitute,
    substitute_shape,
)
from unroll.errors import ArgumentTypeError, GraphError, NameNotFoundError
from unroll.feeds import InputSpec
from unroll.garbage_collection import collector_paused
from unroll.naming import Lineage, Names
from unroll.numbering import settle_names
from unroll.parameter import Parameter
from unroll.scopes import check_name
from unroll.tensor import Node, Placeholder, Tensor
from unroll.topological_order import in_order
from unroll.words import closest, spelled_methods

T = TypeVar("T")


def _found(items: Mapping[str, T], name: str, what: str) -> T:
    """Return the item called `name`, with or without TensorFlow's ``:0``."""
    if not isinstance(name, str):
        raise ArgumentTypeError(f"a {what} is found by its name, not by {name!r}")
    for candidate in (name, name.removesuffix(":0")):
        if candidate in items:
            return items[candidate]
    raise NameNotFoundError(f"no {what} is called {name!r}; {closest(name, items)}")


class ParameterTable(Mapping[str, Parameter]):
    """The Parameters of a graph by name, in the order of first use; its repr is a table."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._items = {parameter.name: parameter for parameter in parameters}

    def __getitem__(self, name: str) -> Parameter:
        return _found(self._items, name, "Parameter")

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return "\n".join(f"{name} {shape_text(item.shape)}" for name, item in self._items.items())


@spelled_methods
class Structure:
    """Inputs, outputs, and every node between them, by name. Frozen.

    Args:
        inputs: the placeholders, in order.
        outputs: a tensor, or a nest of tensors; the keys of an outermost dict become the outputs' names.
        requirements: equalities of dimensions, and limits of values fed, that hold besides those that the nodes need.
        lineage: what it was made from, so that names stay.
        next_values: what each state that lives between runs becomes, by its placeholder: one more output, called
            ``<placeholder>/next``, that is not part of the nest.
        states: ``{input name: output name}`` of the state that lives between runs, where its outputs are part of the nest.
        nodes: the nodes in topological order, where they are known already.

    Its attributes are those that `unroll.Graph` lists.

    Raises:
        GraphError, NameClashError, ShapeError: as `unroll.Graph` says.
    """

    def __init__(
        self,
        inputs: Sequence[Placeholder] | Placeholder,
        outputs: Any,
        requirements: Sequence[Condition] = (),
        lineage: Lineage | None = None,
        *,
        next_values: Mapping[Placeholder, Tensor] | None = None,
        states: Mapping[str, str] | None = None,
        nodes: tuple[Node, ...] | None = None,
    ) -> None:
        self.states = dict(states or {})
        with collector_paused():
            self._build(inputs, outputs, requirements, lineage, next_values or {}, nodes)

    def _build(
        self,
        inputs: Sequence[Placeholder] | Placeholder,
        outputs: Any,
        requirements: Sequence[Condition],
        lineage: Lineage | None,
        next_values: Mapping[Placeholder, Tensor],
        nodes: tuple[Node, ...] | None,
    ) -> None:
        self.inputs = _checked_inputs(inputs)
        self.structure = outputs
        listed, given = checked_outputs(outputs, check_names=lineage is None)
        self.outputs = (*listed, *next_values.values())
        self.nodes = nodes_before(self.outputs) if nodes is None else nodes
        leaves = leaves_of(self.nodes) | dict.fromkeys(tensor for tensor in self.outputs if tensor.node is None)
        self._check_closed(leaves)
        parameters = [leaf for leaf in leaves if isinstance(leaf, Parameter)]
        settle_names([*parameters, *self.inputs], self.nodes)
        self.states |= {state.name: f"{state.name}/next" for state in next_values}
        added = [self.states[state.name] for state in next_values]
        self.requirements = tuple(requirements or ())
        if not all(isinstance(item, (Requirement, Limit, Least)) for item in self.requirements):
            raise GraphError(f"requirements: {shown(requirements)}: a list of Requirements and Limits is wanted")
        self._solve()
        pairs = list(zip(self.outputs, (*given, *added), strict=True))
        known = [(tensor, name) for tensor, name in pairs if name is not None]
        self.names = Names(self.inputs, parameters, self.nodes, known, lineage)
        self.output_names = tuple(self.names.output(tensor, name) for tensor, name in pairs)
        self.parameters = ParameterTable(parameters)

    def _solve(self) -> None:
        """Find out which sizes the requirements decide, including those of the nodes."""
        found = (requirement for node in self.nodes for requirement in node.requirements)
        self.requirements = tuple(dict.fromkeys((*self.requirements, *found)))
        self._solution = solve(item for item in self.requirements if isinstance(item, Requirement))

    # -- reading --------------------------------------------------------------------------------------------------

    def name(self, thing: Tensor | Node) -> str:
        """Return the name of a tensor or node of this graph.

        Raises:
            ArgumentTypeError: neither a tensor nor a node.
            NameNotFoundError: it belongs to another graph.
        """
        if not isinstance(thing, (Node, Tensor)):
            raise ArgumentTypeError(f"name: a tensor or a node is wanted, not {shown(thing)}")
        found = self.names.nodes.get(thing) if isinstance(thing, Node) else self.names.tensors.get(thing)
        if found is None:
            raise NameNotFoundError(f"{thing!r} is not part of this graph; it takes no part in computing its outputs")
        return found

    def tensor(self, name: str) -> Tensor:
        """Return the tensor called `name` (with or without TensorFlow's ``:0``).

        Raises:
            NameNotFoundError: no tensor has that name; the message offers near ones.
        """
        return _found(self.names.by_name, name, "tensor")

    def tensor_names(self) -> list[str]:
        """Return the names of all tensors: inputs, Parameters, then constants and node outputs in order."""
        return list(self.names.by_name)

    def shape(self, tensor: Tensor) -> Shape:
        """Return a tensor's shape, in which every symbol is replaced that the whole graph gives a value to.

        Raises:
            ArgumentTypeError: not a tensor.
        """
        if not isinstance(tensor, Tensor):
            raise ArgumentTypeError(f"shape: a tensor is wanted, not {shown(tensor)}; graph.tensor(name) finds one")
        return substitute_shape(tensor.shape, self._solution.values)

    @property
    def input_specs(self) -> list[InputSpec]:
        """What each input takes, by name."""
        limits = [
            item._replace(most=substitute(item.most, self._solution.values))
            for item in self.requirements
            if isinstance(item, Limit)
        ]
        return [
            InputSpec(
                tensor.name,
                self.shape(tensor),
                tensor.dtype,
                tuple(limit for limit in limits if limit.name == tensor.name),
            )
            for tensor in self.inputs
        ]

    @property
    def residual_requirements(self) -> tuple[Requirement | Least, ...]:
        """The equalities of dimensions, and least sizes, that only the sizes fed can decide."""
        values = self._solution.values
        least = (
            item._replace(size=substitute(item.size, values)) for item in self.requirements if isinstance(item, Least)
        )
        return (*self._solution.residual, *least)

    def _check_closed(self, leaves: Iterable[Tensor]) -> None:
        listed = set(self.inputs)
        for leaf in leaves:
            if isinstance(leaf, Placeholder) and leaf not in listed:
                reader = next((repr(node) for node in self.nodes if leaf in node.inputs), "an output")
                raise GraphError(
                    f"{reader} depends on the placeholder {leaf.name!r}, which is not among the inputs "
                    f"{[item.name for item in self.inputs]}; add it to inputs"
                )


def _checked_inputs(inputs: Sequence[Placeholder] | Placeholder) -> tuple[Placeholder, ...]:
    listed = nest.flatten(inputs)
    for item in listed:
        if not isinstance(item, Placeholder):
            raise GraphError(f"Graph inputs: {item!r} is not a placeholder; make inputs with unroll.placeholder")
    twice = {item.name for item in listed if listed.count(item) > 1} if len(set(listed)) < len(listed) else ()
    if twice:
        raise GraphError(f"Graph inputs list {', '.join(sorted(twice))} twice; list each placeholder once")
    return tuple(listed)


def checked_outputs(outputs: Any, check_names: bool = False) -> tuple[tuple[Tensor, ...], tuple[str | None, ...]]:
    """Return the flat outputs, and for each the name that an outermost dict gives it, else None.

    Args:
        outputs: a tensor, or a nest of tensors.
        check_names: whether the names are new and must be valid; names that a pass hands on are those of a graph, which
            may come from a file.

    Raises:
        GraphError: there is no output, or something is not a tensor.
        ArgumentError: a name is not valid.
    """
    named = isinstance(outputs, dict)
    children = outputs.items() if named else [("", outputs)]
    pairs = [pair for key, child in children for pair in nest.flatten_with_paths(child, str(key))]
    if not pairs:
        raise GraphError("Graph outputs are empty; give at least one tensor")
    for path, item in pairs:
        if not isinstance(item, Tensor):
            raise GraphError(f"Graph outputs{f' at {path}' if path else ''}: {item!r} is not a tensor")
    names = [check_name(path, "Graph output") if check_names and named else path for path, _ in pairs]
    return tuple(item for _, item in pairs), tuple(name if named else None for name in names)


def nodes_before(outputs: Iterable[Tensor]) -> tuple[Node, ...]:
    """Return every node that tensors depend on, each after all it reads, without recursion."""
    return tuple(in_order(tensor.node for tensor in outputs if tensor.node is not None))


def leaves_of(nodes: Iterable[Node]) -> dict[Tensor, None]:
    """Return the tensors that nodes read and no node makes, in the order of first use."""
    read = [tensor for node in nodes for tensor in node.inputs if tensor is not None and tensor.node is None]
    return dict.fromkeys(read)
