"""Models as other programs write them: with names of their own, and nodes and inputs in another order."""

from __future__ import annotations

import random

from onnx import ModelProto

from unroll.export.node_walk import with_inner


def anonymous(model: ModelProto) -> ModelProto:
    """The model of another program, whose nodes do not say by their names where they come from."""
    found = ModelProto.FromString(model.SerializeToString())
    found.producer_name = "another"
    for number, node in enumerate(found.graph.node):
        node.name = f"k{number}"
    return found


def shuffled(model: ModelProto, seed: int) -> ModelProto:
    """The model with its nodes in another order in which each comes after what it reads, and its inputs in any."""
    found = ModelProto.FromString(model.SerializeToString())
    pick = random.Random(seed)
    made = {name: place for place, node in enumerate(found.graph.node) for name in node.output}
    read = [{made.get(name) for inner in with_inner([node]) for name in inner.input} for node in found.graph.node]
    waiting, order = list(range(len(read))), [None]
    while waiting:
        place = pick.choice([place for place in waiting if read[place] <= {place, *order}])
        waiting.remove(place)
        order.append(place)
    nodes = [model.graph.node[place] for place in order if place is not None]
    inputs = pick.sample(list(model.graph.input), len(model.graph.input))
    for listed, items in ((found.graph.node, nodes), (found.graph.input, inputs)):
        del listed[:]
        listed.extend(items)
    return found
