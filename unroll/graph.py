"""A Graph: inputs, outputs, and every node between them in topological order. Frozen; passes return a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from unroll import display, nest
from unroll.dimensions import Limit, Requirement, Shape, shape_text, solve, substitute_shape
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, GraphError, NameNotFoundError
from unroll.evaluator import evaluate
from unroll.feeds import InputSpec, check_feeds, closest
from unroll.garbage_collection import paused
from unroll.naming import Lineage, Names, own_names
from unroll.ops import identity
from unroll.parameter import Parameter
from unroll.scopes import check_name
from unroll.streaming import Stream
from unroll.tensor import Node, Placeholder, Tensor

if TYPE_CHECKING:
    import networkx

T = TypeVar("T")


def _first(texts: Sequence[str], count: int = 4) -> str:
    """Return texts as a list to read, cut after the first few."""
    return ", ".join([*texts[:count], *([f"and {len(texts) - count} more"] if len(texts) > count else [])])


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


class Graph:
    """Inputs, outputs, and every node between them.

    Args:
        inputs: the placeholders, in the order the exported model takes them.
        outputs: a tensor, or a nest of tensors; the keys of an outermost dict become the outputs' names.
        requirements: equalities of dimensions, and limits of values fed, that hold besides those that the nodes need;
            passes hand them on.
        lineage: what a pass made the graph from, so that names stay.
        states: state that lives between runs: ``{placeholder: what it becomes}``. Each placeholder is one more input, and
            what it becomes one more output, called ``<placeholder>/next``; `stream` carries them from run to run.

    Attributes:
        inputs: the placeholders.
        outputs: the output tensors, flattened in order.
        structure: the outputs as the nest they were given in.
        output_names: their names, in order; a tensor listed twice in a list or tuple has its name twice.
        nodes: every node that an output depends on, inputs of a node before it.
        parameters: the Parameters they read, by name.
        names: the names of everything in it; see `unroll.naming`.
        requirements: the equalities of dimensions that must hold, and the limits of values fed.
        states: ``{input name: output name}`` of the state that lives between runs.

    Raises:
        GraphError: an output depends on a placeholder that is not listed, an input is not a placeholder or is listed
            twice, or there is no output.
        NameClashError: two different placeholders or Parameters have one name.
        ShapeError: the equalities of dimensions that the operators require contradict one another.
    """

    def __init__(
        self,
        inputs: Sequence[Placeholder] | Placeholder,
        outputs: Any,
        requirements: Sequence[Requirement | Limit] = (),
        lineage: Lineage | None = None,
        states: Mapping[Placeholder, Tensor] | None = None,
    ) -> None:
        with paused():
            self._build(inputs, outputs, requirements, lineage, states or {})

    def _build(
        self,
        inputs: Sequence[Placeholder] | Placeholder,
        outputs: Any,
        requirements: Sequence[Requirement | Limit],
        lineage: Lineage | None,
        states: Mapping[Placeholder, Tensor],
        nodes: tuple[Node, ...] | None = None,
    ) -> None:
        _check_states(states)
        listed = nest.flatten(inputs)
        self.inputs = _checked_inputs([*listed, *(state for state in states if state not in listed)])
        self.structure = outputs
        self.outputs, given = _checked_outputs(outputs, check_names=lineage is None)
        next_names = {f"{state.name}/next": self._own(tensor) for state, tensor in states.items()}
        given = (*given, *[None] * (len(self.outputs) - len(given)), *next_names)
        self.outputs = (*self.outputs, *next_names.values())
        self.states = {state.name: name for state, name in zip(states, next_names, strict=True)}
        self.nodes = nodes_before(self.outputs) if nodes is None else nodes
        leaves = leaves_of(self.nodes) | dict.fromkeys(tensor for tensor in self.outputs if tensor.node is None)
        self._check_closed(leaves)
        parameters = [leaf for leaf in leaves if isinstance(leaf, Parameter)]
        self.requirements = tuple(requirements)
        self._solve()
        pairs = list(zip(self.outputs, given, strict=True))
        known = [(tensor, name) for tensor, name in pairs if name is not None]
        self.names = Names(self.inputs, parameters, self.nodes, known, lineage)
        self.output_names = tuple(self.names.output(tensor, name) for tensor, name in pairs)
        self.parameters = ParameterTable(parameters)

    def _solve(self) -> None:
        """Find out what the requirements, those of the nodes among them, say of the sizes."""
        found = (requirement for node in self.nodes for requirement in node.requirements)
        self.requirements = tuple(dict.fromkeys((*self.requirements, *found)))
        self._solution = solve(item for item in self.requirements if isinstance(item, Requirement))

    def _own(self, tensor: Tensor) -> Tensor:
        """Return a tensor that is an output of its own name: a copy where it is an output, or an input, already."""
        return identity(tensor) if tensor in self.outputs or tensor.node is None else tensor

    # -- reading --------------------------------------------------------------------------------------------------

    def name(self, thing: Tensor | Node) -> str:
        """Return the name of a tensor or node of this graph.

        Raises:
            NameNotFoundError: it belongs to another graph.
        """
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
        """Return a tensor's shape with every symbol replaced that the whole graph gives a value to."""
        return substitute_shape(tensor.shape, self._solution.values)

    @property
    def input_specs(self) -> list[InputSpec]:
        """What each input takes, by name."""
        limits = [item for item in self.requirements if isinstance(item, Limit)]
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
    def residual_requirements(self) -> tuple[Requirement, ...]:
        """The equalities of dimensions that only the sizes fed can decide."""
        return self._solution.residual

    def check_feeds(self, feeds: Mapping[Any, Any]) -> dict[str, Array]:
        """Return `feeds` as arrays by input name, checked; see `unroll.feeds.check_feeds` for what is raised."""
        return check_feeds(self.input_specs, feeds, self._solution.residual)

    # -- running and changing -------------------------------------------------------------------------------------

    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...]) -> list[Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: Tensor | str) -> Array: ...

    def run(
        self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...] | Tensor | str | None = None
    ) -> dict[str, Array] | list[Array] | Array:
        """Compute with NumPy.

        Args:
            feeds: an array for every input, by placeholder or name.
            fetches: tensors or names to compute, inner ones included; by default the outputs.

        Returns:
            ``{output name: array}``; a list in order where a list is fetched; an array where one tensor is.

        Raises:
            FeedError, ShapeError, DTypeError: the feeds do not fit.
            NameNotFoundError: a fetch is not part of the graph.
            EvaluationError: an operator failed on the values it met.
        """
        arrays = self.check_feeds(feeds)
        if fetches is None:
            return dict(zip(self.output_names, evaluate(self, arrays, self.outputs), strict=True))
        single = isinstance(fetches, (Tensor, str))
        wanted = [self._fetched(item) for item in nest.flatten(fetches)]
        values = evaluate(self, arrays, wanted)
        return values[0] if single else values

    def _fetched(self, item: Tensor | str) -> Tensor:
        if isinstance(item, Tensor):
            self.name(item)
            return item
        if not isinstance(item, str):
            raise ArgumentTypeError(f"fetches: {item!r} is neither a tensor nor a name")
        return self.tensor(item)

    def stream(self) -> Stream:
        """Return a runner that carries the graph's state from run to run, computing with NumPy; see `unroll.Stream`."""
        return Stream(self)

    def assign(self, values: Mapping[str, Any]) -> None:
        """Give Parameters new values, all or none.

        Args:
            values: arrays by Parameter name, with or without TensorFlow's ``:0``.

        Raises:
            NameNotFoundError: no Parameter has a name.
            ArgumentError: two names are one, as ``w`` and ``w:0`` are.
            ShapeError, DTypeError: a value does not fit; see `unroll.Parameter.assign`.
        """
        if not isinstance(values, Mapping):
            raise ArgumentTypeError(f"assign: a dict {{name: array}} is wanted, not {type(values).__name__}")

        def twice(name: str, first: str, second: str) -> ArgumentError:
            return ArgumentError(f"assign: {name!r} is given twice, as {first!r} and {second!r}; keep one")

        names = own_names(values, self.parameters._items, twice)
        pairs = [(self.parameters[key], values[key]) for key in names.values()]
        for parameter, value in pairs:
            parameter.cast(value)
        for parameter, value in pairs:
            parameter.assign(value)

    def save_parameters(self, path: str) -> None:
        """Write every Parameter to `path`, as ``.npz`` or ``.safetensors``; see `unroll.parameter_files.save`."""
        from unroll import parameter_files  # safetensors is loaded when first used

        parameter_files.save({name: item.value for name, item in self.parameters.items()}, path)

    def load_parameters(self, path: str) -> None:
        """Assign every Parameter from `path`; see `unroll.parameter_files.load`.

        Raises:
            FileError: the file cannot be read, or lacks a Parameter or has one too many.
            ShapeError, DTypeError: an array does not fit; nothing is assigned then.
        """
        from unroll import parameter_files

        self.assign(parameter_files.load(path, list(self.parameters)))

    # -- showing --------------------------------------------------------------------------------------------------

    def summary(self, full: bool = False) -> str:
        """Return a table of inputs, Parameters with their blocks, nodes and outputs.

        Args:
            full: list every node; by default a long list is cut in the middle.
        """
        from unroll.summary import summarise

        return summarise(self, full)

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Return the graph for networkx.

        Nodes are inputs, Parameters, constants and operators by name, with attributes ``kind``, ``op``, ``scope``,
        ``step``, ``cell``, ``gate``; edges are tensors, with ``tensor``, ``shape``, ``dtype`` and ``input`` (which
        input of the reading node it is).
        """
        from unroll.networkx_view import to_networkx

        return to_networkx(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return display.mimebundle(self)

    def __repr__(self) -> str:
        takes = [f"{spec.name} {shape_text(spec.shape)}" for spec in self.input_specs]
        gives = [
            f"{name} {shape_text(self.shape(tensor))}"
            for name, tensor in zip(self.output_names, self.outputs, strict=True)
        ]
        return f"Graph({_first(takes)} -> {_first(gives)}; {len(self.nodes)} nodes)"

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


def _checked_outputs(outputs: Any, check_names: bool) -> tuple[tuple[Tensor, ...], tuple[str | None, ...]]:
    """Return the flat outputs, and the names that an outermost dict gives them (none for other nests).

    Names that a pass hands on are those of a graph already, and may be a file's.
    """
    named = isinstance(outputs, dict)
    children = outputs.items() if named else [("", outputs)]
    pairs = [pair for key, child in children for pair in nest.flatten_with_paths(child, str(key))]
    if not pairs:
        raise GraphError("Graph outputs are empty; give at least one tensor")
    for path, item in pairs:
        if not isinstance(item, Tensor):
            raise GraphError(f"Graph outputs{f' at {path}' if path else ''}: {item!r} is not a tensor")
    names = tuple(check_name(path, "Graph output") if check_names else path for path, _ in pairs) if named else ()
    return tuple(item for _, item in pairs), names


def _check_states(states: Mapping[Placeholder, Tensor]) -> None:
    """Check that each state becomes a tensor like itself."""
    if not isinstance(states, Mapping):
        raise ArgumentTypeError(f"Graph states: a dict {{placeholder: tensor}} is wanted, not {type(states).__name__}")
    for state, tensor in states.items():
        if not isinstance(state, Placeholder) or not isinstance(tensor, Tensor):
            raise GraphError(f"Graph states: {state!r}: {tensor!r}: a placeholder and the tensor it becomes are wanted")
        if state.shape != tensor.shape or state.dtype != tensor.dtype:
            raise GraphError(
                f"Graph states: {state.described()} cannot become {tensor.described()}; both must be alike"
            )


def nodes_before(outputs: Iterable[Tensor]) -> tuple[Node, ...]:
    """Return every node that tensors depend on, each after all it reads, without recursion."""
    order: list[Node] = []
    done: set[Node] = set()
    for output in outputs:
        if output.node is None or output.node in done:
            continue
        path, unseen = [output.node], [iter(output.node.inputs)]
        while path:
            for tensor in unseen[-1]:
                if tensor is not None and (before := tensor.node) is not None and before not in done:
                    path.append(before)
                    unseen.append(iter(before.inputs))
                    break
            else:
                unseen.pop()
                node = path.pop()
                done.add(node)
                order.append(node)
    return tuple(order)


def leaves_of(nodes: Iterable[Node]) -> dict[Tensor, None]:
    """Return the tensors that nodes read and no node makes, in the order of first use."""
    read = [tensor for node in nodes for tensor in node.inputs if tensor is not None and tensor.node is None]
    return dict.fromkeys(read)
