"""What a pass joins of several gates is called after no one of them: each piece keeps its gate, the whole has none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from picture_networks import NETWORKS

import unroll
from unroll.passes.pipeline import PASSES
from unroll.passes.tools.rewriting import is_known
from unroll.trials.trial_feeds import trials

#: Networks with gates of many kinds.
GATED = (
    "image rows", "GRU", "stacked", "peepholes", "Keras, both ways", "both ways with lengths", "layers two Bidirectional",
    "cell NAS", "cell IndyLSTM", "nn LSTM, two layers both ways", "layers GRU, reset before", "attention",
)  # fmt: skip
ALL: dict[str, Callable[[unroll.Graph], unroll.Graph]] = {
    **PASSES,
    "optimize": unroll.optimize,
    "optimize for many rows": lambda graph: unroll.optimize(graph, batch=64),
}


@pytest.mark.parametrize("network", GATED)
def test_a_name_means_after_all_passes_what_it_meant_before(network: str) -> None:
    """Even where a new graph is made of what a pass has made, which knows no name but those that the nodes say."""
    graph = NETWORKS[network]()
    feeds = trials(graph, seed=3, count=1, rows=3)[0].feeds
    for parameter in graph.parameters.values():
        parameter.assign(np.random.default_rng(7).uniform(-0.9, 0.9, [int(size) for size in parameter.shape]))
    named = {
        name: item for name, item in graph.names.by_name.items() if item.node is not None and item.hint is not None
    }
    wanted = dict(zip(named, graph.run(feeds, list(named.values())), strict=True))
    for change in ALL:
        made = ALL[change](graph)
        for shown in (made, unroll.Graph(made.inputs, list(made.outputs))):
            kept = [
                name
                for name in named
                if name in shown.names.by_name and not name.endswith("preactivation") and "zero_state" not in name
            ]
            for name, found in zip(kept, shown.run(feeds, kept), strict=True):
                np.testing.assert_allclose(found, wanted[name], rtol=1e-4, atol=1e-5, err_msg=f"{change}: {name}")


@pytest.mark.parametrize("change", ALL)
def test_what_is_made_of_several_gates_is_of_none(change: str) -> None:
    for network in ("image rows", "GRU", "Keras, both ways", "stacked"):
        graph = ALL[change](NETWORKS[network]())
        for node in graph.nodes:
            gates = {origin.gate for origin in node.provenance} - {None}
            if len(gates) > 1 and len({origin.cell for origin in node.provenance}) == 1 and is_known(node.op):
                assert node.origin.gate is None, f"{graph.name(node)} of {sorted(map(str, gates))}"
