"""Drivers: loops of a cell over timesteps. They know nothing of gates and check only structure."""

from unroll.drivers.bidirectional import (
    bidirectional_dynamic_rnn,
    stack_bidirectional_dynamic_rnn,
    stack_bidirectional_rnn,
    static_bidirectional_rnn,
)
from unroll.drivers.dynamic import dynamic_rnn
from unroll.drivers.raw import raw_rnn
from unroll.drivers.static import StateSaver, static_rnn, static_state_saving_rnn

__all__ = [
    "StateSaver",
    "bidirectional_dynamic_rnn",
    "dynamic_rnn",
    "raw_rnn",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
]
