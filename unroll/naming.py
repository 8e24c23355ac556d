"""Final unique names for everything in a graph, given in topological order so that one program always gives the same ones.

Grammar: a node is called ``<scope>/<Operator>``, a tensor ``<scope>/<hint or Operator>``; a scope's component ``t<k>`` is
timestep k; ``_1``, ``_2``, ... tell apart what would be called alike. Placeholders, Parameters and outputs named by the user
keep their names to the letter.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from unroll.dtypes import Array, DType
from unroll.errors import NameClashError
from unroll.numbering import distinct_bearer
from unroll.parameter import Parameter
from unroll.scopes import join
from unroll.tensor import Constant, Node, Placeholder, Tensor

_LONGEST_VALUE = 6


class Lineage(NamedTuple):
    """What a rewritten graph came from, so that what it kept is called as before.

    Attributes:
        names: the names of the old graph.
        nodes: the old node that each copied node stands for.
        tensors: the names of tensors that took the place of others.
    """

    names: Names
    nodes: Mapping[Node | None, Node]
    tensors: Mapping[Tensor, str]


class Names:
    """The names of a graph's tensors and nodes.

    Attributes:
        tensors: each tensor's name; equal constants share one.
        nodes: each node's name.
        by_name: each named tensor.
    """

    def __init__(
        self,
        inputs: Sequence[Placeholder],
        parameters: Iterable[Parameter],
        nodes: Sequence[Node],
        outputs: Iterable[tuple[Tensor, str]],
        lineage: Lineage | None = None,
    ) -> None:
        self.tensors: dict[Tensor, str] = {}
        self.nodes: dict[Node, str] = {}
        self.by_name: dict[str, Tensor] = {}
        self._counts: dict[tuple[str, bool], int] = {}
        self._constants: dict[tuple[DType, str, tuple[int, ...], bytes], str] = {}
        outputs = list(outputs)
        self._outputs = {name for _, name in outputs}
        sources: list[Placeholder | Parameter] = [*inputs, *parameters]
        for source in sources:
            self._claim(source, source.name)
        for output, name in outputs:
            self._claim(output, name)
        taken: set[str] = set()
        for node in nodes:
            old = lineage.nodes.get(node, node) if lineage else node
            scope = node.origin.scope
            base = join(scope, node.op.name)
            kept = lineage.names.nodes.get(old, base) if lineage else base
            name = kept if kept not in taken else self._numbered(kept, taken, of_node=True)
            self.nodes[node] = name
            taken.add(name)
            for read in node.inputs:
                if isinstance(read, Constant) and read not in self.tensors:
                    self.constant(read)
            for tensor in node.outputs:
                label = base if tensor.hint is None else join(scope, tensor.hint)
                if lineage:
                    label = lineage.names.tensors.get(old.outputs[tensor.index], label)
                    label = lineage.tensors.get(tensor, label)
                if tensor not in self.tensors:
                    self._give(tensor, label)
                else:  # an output that the user named is still found by its place in the program
                    self.by_name.setdefault(label, tensor)

    def constant(self, tensor: Constant) -> str:
        """Name a constant by its hint or its value; one of equal value has the same name already."""
        value = tensor.value
        key = (value.dtype, tensor.hint or "", value.shape, value.tobytes())
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = self._give(tensor, tensor.hint or f"constant/{value_text(value)}")
        self.tensors[tensor] = known
        return known

    def _claim(self, tensor: Tensor, name: str) -> None:
        other = self.by_name.get(name)
        if other is not None and other is not tensor:
            raise NameClashError(
                f"{_kind(other)} and {_kind(tensor)} are both called {name!r}. {_remedy(other, tensor)}"
            )
        self.by_name[name] = tensor
        if not isinstance(tensor, Constant):
            self.tensors.setdefault(tensor, name)

    def output(self, tensor: Tensor, given: str | None) -> str:
        """Return an output's name, which no other output has: the one given, or the tensor's own.

        An input that is an output as it is needs another name, and so does a tensor that is listed again.
        """
        if isinstance(tensor, Constant) and tensor not in self.tensors:
            self.constant(tensor)
        own = self.tensors[tensor]
        if given is not None and (given != own or tensor.node is not None):
            return given
        name = own if tensor.node is not None else f"{own}/identity"
        if name in self._outputs or self.by_name.get(name, tensor) is not tensor:
            name = self._numbered(name, self.by_name)
        self._outputs.add(name)
        self.by_name[name] = tensor
        return name

    def _give(self, tensor: Tensor, base: str) -> str:
        name = base if base not in self.by_name else self._numbered(base, self.by_name)
        self.by_name[name] = tensor
        self.tensors[tensor] = name
        return name

    def _numbered(self, base: str, taken: Container[str], of_node: bool = False) -> str:
        """Return `base`, which is taken, with a number; nodes and tensors are counted apart."""
        count = self._counts.get((base, of_node), 0) + 1
        while (name := f"{base}_{count}") in taken:
            count += 1
        self._counts[base, of_node] = count
        return name


def value_text(value: Array) -> str:
    """Return a short text for a constant: its value where it is small, else its dtype and shape."""
    if value.size <= _LONGEST_VALUE:
        return str(value.tolist()).replace(" ", "")
    return f"{value.dtype}{list(value.shape)}".replace(" ", "")


def _kind(tensor: Tensor) -> str:
    kind = {Placeholder: "a placeholder", Parameter: "a Parameter"}.get(type(tensor), "an output")
    return f"{kind} of shape {tensor.shape}"


def _remedy(first: Tensor, second: Tensor) -> str:
    """Say how two things of one name are told apart, in the words of those who made them."""
    sources = [item for item in (second, first) if isinstance(item, (Placeholder, Parameter))]
    for one, other in itertools.permutations(sources, 2):
        place = distinct_bearer(one, other)
        if place is not None:
            bearer, _, _ = place
            number = "" if bearer.given else " (it cannot be numbered: it was in another graph)"
            return (
                f"Give the {bearer.kind} {bearer.name!r} a name of its own{number}: {bearer.kind}(..., "
                f"name={bearer.name + '_b'!r}). To share weights, call one object twice"
            )
    if all(isinstance(item, Placeholder) for item in (first, second)):
        return "Give one another name with name="
    return (
        "Give one another name with name=, or make it under another scope: static_rnn(..., scope='b'), or `with "
        "unroll.scope('b'):`. To share weights, use one cell object for both"
    )


def own_names(
    given: Iterable[str], names: Container[str], twice: Callable[[str, str, str], Exception]
) -> dict[str, str]:
    """Return the real name of each thing that was given by name: the name as it is given where that exists,
    else without ``:0``.

    Args:
        given: the names as they were given.
        names: the real names.
        twice: makes the error for two given names that mean one thing, from its name and the two.

    Returns:
        ``{real name: name as it was given}``; unknown names are among them.

    Raises:
        Exception: what `twice` makes, because the second value would replace the first in silence.
    """
    found: dict[str, str] = {}
    for key in given:
        name = key if key in names or not isinstance(key, str) else key.removesuffix(":0")
        if name in found:
            raise twice(name, found[name], key)
        found[name] = key
    return found
