"""Reading a file takes little more than twice its size at its peak: `onnx.load` alone takes twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import run_python
from onnx import TensorProto, helper, numpy_helper

#: Prints how much memory reading a file takes at its peak, in sizes of the file.
MEASURE = """
import os, sys
import onnxruntime, unroll, unroll.export.reading.reader
def said(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
before = said("VmRSS")
graph = unroll.from_onnx(sys.argv[1])
print((said("VmHWM") - before) / os.path.getsize(sys.argv[1]))
"""


def model(kind: str) -> onnx.ModelProto:
    """60 MB of weights, with an operator that is none of ours, a Loop beside them, a Loop that holds them; or one of 60 MB."""
    if kind == "one":
        array = numpy_helper.from_array(np.full((1000, 15000), 1, np.float32), "w")
        infos = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
            for name, size in (("x", 1000), ("y", 15000))
        ]
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])], "main", infos[:1], infos[1:], [array]
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    arrays = [numpy_helper.from_array(np.full((1000, 1000), place, np.float32), f"w{place}") for place in range(15)]
    nodes = [helper.make_node("MatMul", [f"h{place}", f"w{place}"], [f"h{place + 1}"]) for place in range(15)]
    after = helper.make_node("Ceil", ["h15"], ["y"])
    if kind != "unknown":
        info = helper.make_tensor_value_info
        body = helper.make_graph(
            [*(nodes if kind == "held" else nodes[:1]), helper.make_node("Identity", ["go"], ["on"])],
            "body",
            [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), info("h0", TensorProto.FLOAT, None)],
            [info("on", TensorProto.BOOL, []), info("h15" if kind == "held" else "h1", TensorProto.FLOAT, None)],
            arrays if kind == "held" else [],
        )
        after = helper.make_node("Loop", ["n", "", "x" if kind == "held" else "h15"], ["y"], body=body)
    first = helper.make_node("Identity", ["x"], ["h0" if kind != "held" else "unread"])
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1000]) for name in ("x", "y")]
    count = numpy_helper.from_array(np.array(3), "n")
    if kind != "held":
        body_free = [first, *nodes, after]
        if kind == "beside":  # its body has names of its own
            for node in after.attribute[0].g.node:
                node.input[:] = [name.replace("h0", "s0") for name in node.input]
                node.output[:] = [name.replace("h1", "s1") for name in node.output]
            after.attribute[0].g.input[2].name, after.attribute[0].g.output[1].name = "s0", "s1"
        graph = helper.make_graph(body_free, "main", infos[:1], infos[1:], [*arrays, count])
    else:
        graph = helper.make_graph([after], "main", infos[:1], infos[1:], [count])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unknown", "beside", "held", "one"])
def test_reading_takes_little_more_than_twice_the_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    onnx.save(model(kind), path)
    assert path.stat().st_size > 59_000_000
    assert float(run_python(MEASURE, str(path))) < 2.2
