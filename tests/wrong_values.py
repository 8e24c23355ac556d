"""Values of other types and out of range: what a test of wrong calls puts in the place of each argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from right_calls import GRAPH, x

WRONG: dict[str, Any] = {
    "None": None, "string": "abc", "empty string": "", "int": 3, "-1": -1, "huge": 2**70, "nan": float("nan"), "list": [],
    "dict": {}, "object": object(), "scalar array": np.array(2), "odd array": np.ones((2, 0, 3)),
    "complex": np.ones((2, 2), complex), "objects": np.array([None, 1], object), "strings": np.array(["a"]),
    "lambda": lambda *args, **kwargs: None, "graph": GRAPH, "tensor": x(7), "bytes": b"abc", "set": {1, 2}, "True": True,
    "nested": [[1, [2]], "a"], "type": int, "float": 0.5, "model": onnx.ModelProto(), "slice": slice(1, 2),
}  # fmt: skip
