"""Decoders over a bounded number of steps, what gives them their inputs, and attention: TensorFlow 1's ``contrib.seq2seq``."""

from typing import TYPE_CHECKING

from unroll.foreign_names import SEQ2SEQ
from unroll.seq2seq.attention import BahdanauAttention, LuongAttention
from unroll.seq2seq.attention_wrapper import AttentionWrapper, AttentionWrapperState
from unroll.seq2seq.decoding import BasicDecoder, BasicDecoderOutput, dynamic_decode
from unroll.seq2seq.helpers import GreedyEmbeddingHelper, TrainingHelper
from unroll.words import face

__all__ = [
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BasicDecoder",
    "BasicDecoderOutput",
    "GreedyEmbeddingHelper",
    "LuongAttention",
    "TrainingHelper",
    "dynamic_decode",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = face("unroll.seq2seq", __all__, lambda: SEQ2SEQ)
