"""Writing packs as the nodes that they become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from unroll.graph import Graph
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm
from unroll.ops.operator import made
from unroll.ops.shaping import Reshape
from unroll.ops.slicing import Gather, Slice
from unroll.passes.joining.addends import Group
from unroll.passes.joining.column_order import Block
from unroll.passes.joining.joint_kernels import Grid, JointKernels
from unroll.passes.joining.packs import Joint, Pack, Packs, is_shared, operands
from unroll.passes.tools.hoisted import Hoisted, Pieces, StepByStep
from unroll.passes.tools.products import Product
from unroll.passes.tools.rewriting import Rewriting, ints, merged, readers_of
from unroll.passes.tools.weight_expressions import Weights
from unroll.scopes import Origin
from unroll.tensor import Node, Tensor
from unroll.topological_order import Together, in_order

Provenance = frozenset[Origin]


class JointNodes(Rewriting):
    """The graph with packs as nodes.

    Args:
        graph: the old graph.
        weights: its weights.
        pieces: the pieces of hoisted products.
        groups: the products that are computed as one.
        packs: what becomes one node.
    """

    def __init__(self, graph: Graph, weights: Weights, pieces: Pieces, groups: Sequence[Group], packs: Packs) -> None:
        super().__init__(graph)
        self._weights, self._packs, self._readers = weights, packs, readers_of(graph)
        self._kernels = JointKernels(weights)
        self._groups = {pack: (group, step) for group in groups for step, pack in enumerate(group.packs)}
        cut = {item.split for group in groups for item in group.hoisted if item is not None}
        self._pieces = {tensor: item for tensor, item in pieces.items() if item.split in cut}
        self._gone = self._left_out(self._pieces.values())
        self._stacks = {node for node in graph.nodes if self._is_stack(node)}
        self._wanted = set(self._read_alone())
        self._joints: dict[Joint, Tensor] = {}
        self._outside: dict[int, Sequence[Tensor]] = {}
        self._steps = StepByStep(self)

    def write(self) -> Graph:
        """Return the new graph.

        Raises:
            CircleError: packs wait for one another in a circle.
        """
        kept = [node for node in self.graph.nodes if node not in self._gone]
        for item in in_order(kept, self._units(kept)):
            if not isinstance(item, Together):
                self.keep(item, self.inputs(item))
            elif len(item.members) > 1:
                self._write(tuple(item.members))
            else:
                self._keep(item.members[0])
        return self.finish()

    # -- planning --------------------------------------------------------------------------------------------------

    def _left_out(self, hoisted: Iterable[Hoisted]) -> set[Node]:
        """Return the nodes of hoisted products: their results are computed apart, or in the products of the lanes."""
        gone: set[Node] = set()
        for item in hoisted:
            gone |= {item.split, item.product.node}
            left = item.product.left
            if item.parts and left.node is not None and self._readers.only(left) is item.product.node:
                gone.add(left.node)
        return gone

    def _is_stack(self, node: Node) -> bool:
        """Say whether a node joins steps of which many in a row are of one lane, so that they are best cut out at once."""
        if not isinstance(node.op, Concat) or node.op.axis != 0 or node in self._gone:
            return False
        runs = list(self._runs(node))
        return any(lane is not None for lane, _ in runs) and 2 * len(runs) <= len(node.inputs)

    def _runs(self, node: Node) -> Iterator[tuple[int | None, list[Tensor]]]:
        """Yield the inputs of a stack, those of one lane in a row together; lane None for others."""

        def lane(tensor: Tensor | None) -> int | None:
            place = self._packs.places.get(tensor) if tensor is not None else None
            return place.lane if place is not None and not self._packs.cuts[place.joint] else None

        for found, tensors in groupby(node.inputs, lane):
            yield found, [tensor for tensor in tensors if tensor is not None]

    def _read_alone(self) -> Iterator[Tensor]:
        """Yield the tensors of single lanes that something reads."""
        yield from self.graph.outputs
        for node in self.graph.nodes:
            if node in self._stacks:
                yield from (tensor for lane, tensors in self._runs(node) if lane is None for tensor in tensors)
            elif node not in self._gone and node not in self._packs.of:
                yield from self._sources(node)
        for pack in self._packs.all:
            # The weight of a product, and what it adds, are written with the product.
            read = operands(pack)
            for tensors in read[:1] if pack in self._groups else [item for item in read if not is_shared(item)]:
                if self._packs.joint(tensors) is None:
                    yield from (tensor for tensor in tensors if tensor is not None)

    def _units(self, kept: Sequence[Node]) -> dict[Node, Together[Node]]:
        units: dict[Node, Together[Node]] = {}
        for pack in self._packs.all:
            sources = [tensor for node in pack for tensor in self._sources(node)]
            group, step = self._groups.get(pack, (None, 0))
            if group is not None and step == 0:
                sources += [source for lane in group.outside for source in self._all_sources(group, lane)]
            units.update(dict.fromkeys(pack, Together(pack, sources)))
        for node in kept:
            if node not in units and (node in self._stacks or not self._pieces.keys().isdisjoint(node.inputs)):
                units[node] = Together([node], self._sources(node))
        return units

    def _sources(self, node: Node) -> list[Tensor]:
        """Return what must be there before a node: for a piece of a hoisted product, what it is a product of."""
        found = []
        for tensor in node.inputs:
            if tensor is not None:
                found.append(self._pieces[tensor].source(tensor) if tensor in self._pieces else tensor)
        return found

    @staticmethod
    def _all_sources(group: Group, lane: int) -> Iterator[Tensor]:
        for products in group.products:
            source = group.source(products, lane)
            if source is not None:
                yield source

    # -- nodes of one lane -----------------------------------------------------------------------------------------

    def _keep(self, node: Node) -> None:
        """Carry over a node that reads pieces of hoisted products, or joins steps of lanes."""
        for tensor in node.inputs:
            if tensor in self._pieces and self[tensor] is tensor:
                self.stand_in(tensor, self._steps.product(self._pieces[tensor], tensor))
        if node in self._stacks:
            self._stack(node)
        else:
            self.keep(node, self.inputs(node))

    def _stack(self, node: Node) -> None:
        """Write a stack of steps of lanes: joined as they are, and the lane cut out of all of them at once."""
        parts: list[Tensor] = []
        for lane, tensors in self._runs(node):
            if lane is None:
                parts += [self[tensor] for tensor in tensors]
                continue
            joints = [self._joints[self._packs.places[tensor].joint] for tensor in tensors]
            (whole,) = joints if len(joints) == 1 else made(Concat(0), joints, node.provenance)
            parts.append(self._lane_of(whole, lane, int(tensors[0].shape[1]), node.provenance))
        (result,) = parts if len(parts) == 1 else made(Concat(0), parts, node.provenance)
        if result.hint is None:
            result.hint = node.outputs[0].hint
        self.stand_in(node.outputs[0], result)

    def _lane_of(self, whole: Tensor, lane: int, width: int, provenance: Provenance) -> Tensor:
        bounds = ints(lane * width), ints((lane + 1) * width), ints(1)
        return made(Slice(), (whole, *bounds), provenance)[0]

    # -- packs -----------------------------------------------------------------------------------------------------

    def _write(self, pack: Pack) -> None:
        node, provenance = pack[0], merged(pack)
        if pack in self._groups:
            results: Sequence[Tensor] = [self._product(pack, provenance)]
        elif isinstance(node.op, Split):
            sizes = [int(tensor.shape[1]) * len(pack) for tensor in node.outputs]
            whole = self._joined(operands(pack)[0], [], provenance)
            even = len(set(sizes)) == 1
            cut = [] if even else [ints(*sizes)]
            results = made(Split(1, len(sizes) if even else None), (whole, *cut), provenance)
        else:
            blocks = self._packs.cuts.blocks((pack, 0), int(node.outputs[0].shape[1]))
            inputs = [
                self._shared(tensors) if is_shared(tensors) else self._joined(tensors, blocks, provenance)
                for tensors in operands(pack)
            ]
            results = made(node.op, inputs, provenance)
        for output, result in enumerate(results):
            self._joints[pack, output] = result
            self._take_apart(pack, output, provenance)

    def _shared(self, tensors: Sequence[Tensor | None]) -> Tensor | None:
        return None if tensors[0] is None else self[tensors[0]]

    def _joined(
        self, tensors: Sequence[Tensor | None], blocks: Sequence[Block], provenance: Provenance
    ) -> Tensor | None:
        """Return the joint tensor of one from each lane, made here where there is none."""
        joint = self._packs.joint(tensors)
        if joint is not None:
            return self._joints[joint]
        found = [self[tensor] for tensor in tensors if tensor is not None]
        if all(map(self._weights.holds, found)):
            return self._kernels.row(found, blocks, None)
        if len(blocks) > 1:
            sizes = ints(*[end - start for start, end in blocks])
            cut = [made(Split(1), (tensor, sizes), provenance) for tensor in found]
            found = [piece for pieces in zip(*cut, strict=True) for piece in pieces]
        return made(Concat(1), found, provenance)[0]

    def _take_apart(self, pack: Pack, output: int, provenance: Provenance) -> None:
        """Write the lanes of a joint tensor by themselves, where something reads them so."""
        wanted = [lane for lane, node in enumerate(pack) if node.outputs[output] in self._wanted]
        if not wanted:
            return
        whole, width = self._joints[pack, output], int(pack[0].outputs[output].shape[1])
        blocks, lanes = self._packs.cuts.blocks((pack, output), width), len(pack)
        if len(blocks) == 1 and len(wanted) == 1:
            found = {wanted[0]: self._lane_of(whole, wanted[0], width, provenance)}
        elif len(blocks) == 1:
            found = dict(enumerate(made(Split(1, lanes), (whole,), provenance)))
        else:
            sizes = ints(*[end - start for start, end in blocks for _ in pack])
            pieces = made(Split(1), (whole, sizes), provenance)
            found = {lane: made(Concat(1), pieces[lane::lanes], provenance)[0] for lane in wanted}
        for lane in wanted:
            old = pack[lane].outputs[output]
            found[lane].hint = old.hint
            self.stand_in(old, found[lane])

    # -- products --------------------------------------------------------------------------------------------------

    def _product(self, pack: Pack, provenance: Provenance) -> Tensor:
        """Write the recurrent products of all lanes as one, and what is added to them."""
        group, step = self._groups[pack]
        products, cell = group.products[step], pack[0].origin.cell
        columns = self._packs.cuts.blocks((pack, 0), int(pack[0].outputs[0].shape[1]))
        total = self._pieces_outside(group, columns)[step] if group.outside else self._bias(group, columns, cell)
        lefts = [product.left for product in products]
        grid = [
            [self._plain(item) if lane == at else None for at, item in enumerate(products)] for lane in range(len(pack))
        ]
        for lane, hoisted in enumerate(group.hoisted):
            source = group.source(products, lane)
            if hoisted is None or source is None or lane in group.outside:
                continue
            beside = group.beside(products, lane)
            if beside is not None:  # the kernel has room for it: the joint product multiplies this tensor anyway
                grid[beside][lane] = self._plain(hoisted.product)
            else:
                total = self._input_product(source, hoisted.product, lane, len(pack), columns, total, provenance)
        joint = self._packs.joint(lefts)
        width = products[0].width
        rows = [(0, width)] if joint is None else self._packs.cuts.blocks(joint, width)
        left = self._joined(lefts, rows, provenance)
        kernel = self._kernels.matrix(tuple(map(tuple, grid)), rows, columns, cell)
        return self._sum(left, kernel, total, provenance)

    @staticmethod
    def _sum(left: Tensor | None, kernel: Tensor, total: Tensor | None, provenance: Provenance) -> Tensor:
        return made(Gemm(), (left, kernel, *([] if total is None else [total])), provenance)[0]

    def _plain(self, product: Product) -> Tensor:
        """Return a product's weight with a row for each column of what it multiplies."""
        weight = self[product.weight]
        return self._weights.turned(weight, product.node.origin.cell) if product.turned else weight

    def _bias(self, group: Group, columns: Sequence[Block], cell: str | None) -> Tensor | None:
        return self._kernels.row([None if bias is None else self[bias] for bias in group.biases], columns, cell)

    def _input_product(
        self,
        source: Tensor,
        product: Product,
        lane: int,
        lanes: int,
        columns: Sequence[Block],
        total: Tensor | None,
        provenance: Provenance,
    ) -> Tensor:
        """Write the input product of one lane whose input is part of a joint tensor; the other parts are multiplied by
        zeros.
        """
        place, width = self._packs.places.get(source), product.width
        row = tuple(self._plain(product) if at == lane else None for at in range(lanes))
        if place is None:
            left, rows = self[source], [(0, width)]
            grid: Grid = (row,)
        else:
            left = self._joints[place.joint]
            nothing: tuple[Tensor | None, ...] = (None,) * lanes
            grid = tuple(row if at == place.lane else nothing for at in range(len(place.joint[0])))
            rows = self._packs.cuts.blocks(place.joint, width)
        kernel = self._kernels.matrix(grid, rows, columns, product.node.origin.cell)
        return self._sum(left, kernel, total, provenance)

    def _pieces_outside(self, group: Group, columns: Sequence[Block]) -> Sequence[Tensor]:
        """Return, step by step, the input products of the lanes whose input comes from outside, all computed at once."""
        if id(group) not in self._outside:
            hoisted = [(lane, item) for lane in group.outside if (item := group.hoisted[lane]) is not None]
            provenance = merged(node for _, item in hoisted for node in (item.product.node, item.split))
            cell = group.packs[0][0].origin.cell
            lefts = [self._steps_of(group, lane, item, provenance) for lane, item in hoisted]
            parts = []
            for lane, item in hoisted:
                row = tuple(self._plain(item.product) if at == lane else None for at in range(len(group.hoisted)))
                parts.append(self._kernels.matrix((row,), [(0, item.product.width)], columns, cell))
            (left,) = lefts if len(lefts) == 1 else made(Concat(1), lefts, provenance)
            whole = self._sum(left, self._weights.joined(parts, 0, cell), self._bias(group, columns, cell), provenance)
            self._outside[id(group)] = made(Split(0, len(group.products)), (whole,), provenance)
        return self._outside[id(group)]

    def _steps_of(self, group: Group, lane: int, hoisted: Hoisted, provenance: Provenance) -> Tensor:
        """Return what a lane's hoisted product multiplies, ``(steps * batch, width)``, in the order of the group's steps."""
        order = [added.index for products in group.products if (added := products[lane].added) is not None]
        left = hoisted.product.left
        if hoisted.parts:
            return made(Concat(0), [self[hoisted.parts[index]] for index in order], provenance)[0]
        if order == list(range(hoisted.steps)):
            return self[left]
        (chosen,) = made(Gather(0), (self._steps.inputs(hoisted), ints(*order)), provenance)
        return made(Reshape(), (chosen, ints(-1, hoisted.product.width)), provenance)[0]
