"""Sessions: what variables hold, and runs of fetches. `Session.graph_of` gives the core's graph, with a session's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Self

import numpy as np

from unroll import graph as core_graph
from unroll import initializers, nest
from unroll.dtypes import Array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, FeedError, GraphError, ShapeError
from unroll.evaluator import evaluate
from unroll.parameter import Parameter
from unroll.structure import leaves_of, nodes_before
from unroll.tensor import Placeholder
from unroll.tensor import Tensor as Core
from unroll.tf1.graphs import Effect, Graph, enter_session, get_default_graph, leave_session
from unroll.tf1.tensors import Operation, Tensor
from unroll.words import spelled


class Plan(NamedTuple):
    """What a run of some fetches computes."""

    graph: core_graph.Graph
    inputs: dict[Core, Placeholder]  #: the input of the graph by what is fed or drawn
    outputs: list[Core]  #: what is returned, and then what variables become
    effects: list[Effect]


class Session:
    """Runs tensors of a graph, in NumPy, and holds what its variables hold.

    Raises:
        ArgumentTypeError: `graph` is no graph.
    """

    @spelled()
    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        if graph is not None and not isinstance(graph, Graph):
            raise ArgumentTypeError(f"Session: graph is {graph!r}; a tf.Graph is wanted")
        self.graph = get_default_graph() if graph is None else graph
        #: What each variable holds, by the core's Parameter.
        self.values: dict[Any, Array] = {}
        self._plans: dict[Any, Plan] = {}
        self._generators: dict[Core, np.random.Generator] = {}
        self._entered: list[ExitStack] = []
        self._closed = False

    def __enter__(self) -> Self:
        stack = ExitStack()
        if self.graph is not get_default_graph():
            stack.enter_context(self.graph.as_default())
        stack.enter_context(self.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, *exception: object) -> None:
        self._entered.pop().close()
        self._closed = not self._entered

    @contextmanager
    def as_default(self) -> Any:
        """Make this the default session, and give it; it is not closed at the end."""
        enter_session(self)
        try:
            yield self
        finally:
            leave_session(self)

    def close(self) -> None:
        """End the session: it runs nothing more."""
        self._closed = True
        leave_session(self)

    # -- running ------------------------------------------------------------------------------------------------------

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Compute tensors, and run operations; any tensor may be fed.

        Returns:
            An array, a number of NumPy's, or None for an operation, in the nest of the fetches.

        Raises:
            ArgumentError: the session is closed.
        """
        if self._closed:
            raise ArgumentError("Attempted to use a closed Session: make a new one, or run inside its `with`")
        leaves = [self._element(item, "fetch") for item in nest.flatten(fetches)]
        tensors = [leaf.core for leaf in leaves if isinstance(leaf, Tensor)]
        effects = [effect for leaf in leaves if isinstance(leaf, Operation) for effect in leaf.effects]
        values = iter(self._computed(tensors, effects, self._feeds({} if feed_dict is None else feed_dict)))
        found = [next(values) if isinstance(leaf, Tensor) else None for leaf in leaves]
        return nest.pack(fetches, [item if item is None or item.ndim else item[()] for item in found])

    def _element(self, item: Any, what: str) -> Any:
        """Return what is fetched or fed, found by its name where that is given."""
        if isinstance(item, str):
            item = self.graph.get_tensor_by_name(item) if ":" in item else self.graph.get_operation_by_name(item)
        if not isinstance(item, (Tensor, Operation)):
            kind = f"{item!r} has invalid type {type(item).__name__}"
            raise ArgumentTypeError(f"Argument `{what}` = {kind}, must be a string or Tensor, or an Operation")
        if item.graph is not self.graph:
            raise GraphError(
                f"Argument `{what}` = {item} cannot be interpreted as a Tensor: it is not an element of this graph; "
                "make the Session with graph=, or inside `with graph.as_default()`"
            )
        return item

    def _feeds(self, feed_dict: Any) -> dict[Core, Array]:
        if not isinstance(feed_dict, Mapping):
            raise ArgumentTypeError(f"feed_dict: a dict {{tensor: array}} is wanted, not {type(feed_dict).__name__}")
        feeds: dict[Core, Array] = {}
        for key, value in feed_dict.items():
            keys, parts = nest.flatten(key), nest.flatten(value) if nest.is_nested(key) else [value]
            if len(keys) != len(parts):
                raise FeedError(f"feed_dict: {nest.sketch(value)} does not fit the nest {nest.sketch(key)}")
            for item, part in zip(keys, parts, strict=True):
                tensor = self._element(item, "feed")
                if not isinstance(tensor, Tensor) or isinstance(part, Tensor):
                    raise ArgumentTypeError(f"feed_dict: an array is fed to a tensor: {tensor!r} was fed {part!r}")
                feeds[tensor.core] = _fitting(tensor, part)
        return feeds

    def _computed(self, tensors: Sequence[Core], effects: Sequence[Effect], feeds: Mapping[Core, Any]) -> list[Array]:
        """Compute tensors, and give variables what the effects, and those of what the tensors are made of, say."""
        if not tensors and not effects:
            return []
        key = (*tensors, None, *effects, None, *feeds)
        if key not in self._plans:
            self._plans[key] = self._plan(tensors, effects, feeds)
        plan = self._plans[key]
        arrays = {}
        for core, item in plan.inputs.items():
            if core not in feeds and core not in self.graph.drawn:
                seen = f"placeholder tensor {item.name!r} with dtype {item.dtype} and shape {self.graph.proxies[core].shape}"
                fix = f"sess.run(fetches, feed_dict={{{item.name}: array}})"
                raise FeedError(f"You must feed a value for {seen}: {fix}")
            arrays[item.name] = feeds[core] if core in feeds else self._drawn(core, feeds)
        for parameter in plan.graph.parameters.values():
            self._value(parameter)
        found = evaluate(plan.graph, plan.graph.check_feeds(arrays), plan.outputs, given=self.values)
        for effect, value in zip(plan.effects, found[len(tensors) :], strict=True):
            self.values[effect.parameter] = effect.parameter.cast(value)
        return found[: len(tensors)]

    def _value(self, parameter: Parameter) -> Array:
        """Return what a variable holds.

        Raises:
            ArgumentError: nothing yet.
        """
        if parameter not in self.values:
            raise ArgumentError(
                f"Attempting to use uninitialized value {parameter.name}: run tf.global_variables_initializer() in this "
                "session first, or restore a checkpoint"
            )
        return self.values[parameter]

    def _plan(self, tensors: Sequence[Core], effects: Sequence[Effect], fed: Iterable[Core]) -> Plan:
        made = nodes_before([*tensors, *(effect.value for effect in effects)])
        before = [effect for node in made for tensor in node.outputs for effect in self.graph.effects.get(tensor, ())]
        every = list(dict.fromkeys([*before, *effects]))
        outputs = [*tensors, *(effect.value for effect in every)]
        graph, inputs, copies = self._traced(outputs, fed, {}, [f"output_{at}" for at, _ in enumerate(outputs)])
        return Plan(graph, inputs, copies, every)

    def _traced(
        self, outputs: Sequence[Core], fed: Iterable[Core], replaced: Mapping[Any, Core], names: Sequence[str]
    ) -> tuple[core_graph.Graph, dict[Core, Placeholder], list[Core]]:
        """Return the core's graph of tensors, in which what is fed is an input, and something stands for Parameters.

        The nodes that read those are copies. Also returned: the inputs by what is fed, and the outputs.
        """
        labels = {tensor: _label(self.graph.proxies[tensor]) for tensor in fed if not isinstance(tensor, Placeholder)}
        given = {tensor: Placeholder(tensor.shape, tensor.dtype, label) for tensor, label in labels.items()}
        new: dict[Any, Core] = {**replaced, **given}
        for node in nodes_before(outputs) if new else ():
            if any(item in new for item in node.inputs) and not all(item in new for item in node.outputs):
                copy = node.copied(tuple(new.get(item, item) for item in node.inputs), node.provenance)
                for old, made in zip(node.outputs, copy.outputs, strict=True):
                    new.setdefault(old, made)
        copies = [new.get(tensor, tensor) for tensor in outputs]
        leaves = dict.fromkeys([*leaves_of(nodes_before(copies)), *copies])
        inputs = [leaf for leaf in leaves if isinstance(leaf, Placeholder) and leaf not in given.values()]
        inputs += [made for made in given.values() if made in leaves]
        back: dict[Core, Core] = {made: old for old, made in given.items()}
        graph = core_graph.Graph(inputs, dict(zip(names, copies, strict=True)))
        return graph, {back.get(item, item): item for item in inputs}, copies

    def _drawn(self, core: Core, feeds: Mapping[Core, Any]) -> Array:
        """Return new random numbers for a tensor of them."""
        drawn = self.graph.drawn[core]
        if core not in self._generators:
            seeds = f"{self.graph.proxies[core].name} {drawn.core.seed}"
            self._generators[core] = initializers.generator(seeds, self.graph.seed)
        sizes = self._computed([drawn.sizes], [], feeds)[0].tolist() if isinstance(drawn.sizes, Core) else drawn.sizes
        return cast_array(drawn.core.draw(self._generators[core], sizes, core.label), drawn.dtype, core.label)

    def graph_of(self, fetches: Any, feeds: Any = ()) -> core_graph.Graph:
        """Return the core's graph of tensors, with the values that the variables hold in this session now.

        It can be drawn, exported and verified like any other. A placeholder that they need is an input, and so is a tensor of
        random numbers.

        Args:
            fetches: a tensor, a name of one, or a nest of them; its outputs, under their names.
            feeds: tensors within it that are to be inputs, such as an initial state.

        Returns:
            The graph.

        Raises:
            ArgumentTypeError: an operation is given.

        Example:
            >>> from unroll import tf1 as tf
            >>> tf.reset_default_graph()
            >>> x = tf.placeholder(tf.float32, [None, 2], name="x")
            >>> w = tf.Variable(tf.ones([2, 3]), name="w")
            >>> with tf.Session() as sess:
            ...     sess.run(w.initializer)
            ...     graph = sess.graph_of(tf.matmul(x, w, name="y"))
            >>> graph
            Graph(x (batch, 2) -> y (batch, 3); 1 nodes)
        """
        tensors = [self._element(item, "fetch") for item in nest.flatten(fetches)]
        inputs = [self._element(item, "feed").core for item in nest.flatten(feeds)]
        if not all(isinstance(item, Tensor) for item in tensors):
            raise ArgumentTypeError("graph_of: tensors are wanted; an operation has no value")
        cores = [item.core for item in tensors]
        leaves = dict.fromkeys([*leaves_of(nodes_before(cores)), *cores])
        read = [leaf for leaf in leaves if isinstance(leaf, Parameter) and leaf not in inputs]
        held = {leaf: leaf.with_blocks(leaf.blocks) for leaf in read}
        for parameter, copy in held.items():
            copy.assign(self._value(parameter))
        taken = {leaf.name for leaf in leaves if isinstance(leaf, (Placeholder, Parameter))}
        names = [f"{_label(item)}_output" if _label(item) in taken else _label(item) for item in tensors]
        return self._traced(cores, inputs, held, names)[0]


class InteractiveSession(Session):
    """A session that is the default one from when it is made to when it is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        enter_session(self)


class ConfigProto:
    """What a session may be configured by; nothing here acts on it."""

    def __init__(self, **options: Any) -> None:
        self.gpu_options = self
        vars(self).update(options)


GPUOptions = ConfigProto


def _label(tensor: Tensor) -> str:
    """Return what to call a tensor in the core's graph."""
    return tensor.name.removesuffix(":0").replace(":", "_")


def _fitting(tensor: Tensor, value: Any) -> Array:
    """Return what is fed as an array that fits.

    Raises:
        ShapeError: it does not.
    """
    array = cast_array(value, tensor.core.dtype, f"feed of {tensor.name}")
    if not tensor.shape.is_compatible_with(array.shape) or array.ndim != tensor.core.rank:
        fix = "; give the placeholder a shape: it is taken for a number otherwise" if tensor.shape.dims is None else ""
        seen = f"Cannot feed value of shape {array.shape} for Tensor {tensor.name}, which has shape {tensor.shape}"
        raise ShapeError(seen + fix)
    return array
