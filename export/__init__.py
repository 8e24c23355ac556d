"""ONNX: lowering a Graph, saving it, running it in onnxruntime, and proving that every runner agrees."""

from unroll.export.lowering import to_onnx
from unroll.export.running.session import Session
from unroll.export.running.session_batches import run_many
from unroll.export.running.session_binding import Bound
from unroll.export.saving import save
from unroll.export.verifying.verification import verify

__all__ = ["Bound", "Session", "run_many", "save", "to_onnx", "verify"]
