"""ONNX: lowering a Graph, saving it, running it in onnxruntime, and proving that every runner agrees."""

from unroll.export.lowering import to_onnx
from unroll.export.saving import save
from unroll.export.session import Session
from unroll.export.verification import verify

__all__ = ["Session", "save", "to_onnx", "verify"]
