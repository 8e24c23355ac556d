"""What make_exporters_torch.py and make_exporters_keras.py share: cases, their arrays, and how files are kept."""

import json
import platform
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

SEED, FEATURES, UNITS = 20261126, 3, 4
FOLDER = Path(__file__).resolve().parent / "exporters"
_LONGEST = 300


@dataclass(frozen=True)
class Case:
    """One network, exported once."""

    made_by: str  #: torchscript, dynamo or keras
    network: str  #: a key of the table of the script
    open: str  #: which sizes are open: b, t, bt or none

    @property
    def id(self) -> str:
        return f"{self.made_by}-{self.network}-{self.open or 'fixed'}"


def generator(case: Case, what: str) -> np.random.Generator:
    return np.random.default_rng([SEED, zlib.crc32(f"{case.id}/{what}".encode())])


def sizes_of(case: Case, made_at: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the sizes (batch, time) that a case is run at: those it was made at, and others where they are open."""
    batch, time = made_at
    other = (batch - 1 if "b" in case.open else batch, time + 2 if "t" in case.open else time)
    return [made_at, other] if other != made_at else [made_at]


def write(
    family: str,
    cases: Iterable[Case],
    convert: Callable[[Case], tuple[Any, Any, Any]],
    made_at: tuple[int, int],
    versions: dict[str, str],
) -> None:
    """Export each case, and keep the files, the arrays and the list of them.

    Args:
        family: ``torch`` or ``keras``, in the names of the list and the arrays.
        cases: the cases.
        convert: returns for a case a function that exports it, one that runs it in its framework, and one that makes feeds.
        made_at: the batch and the time that a case is exported at.
        versions: of the packages that took part.
    """
    FOLDER.mkdir(exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    rows = []
    for case in cases:
        row = _made(case, *convert(case), made_at, arrays)
        rows.append(row)
        print(case.id, row.get("refused") or row["operators"], flush=True)
    versions |= {
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    body = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    head = "".join(
        f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in (versions | {"seed": SEED}).items()
    )
    (FOLDER / f"{family}.json").write_text(f'{{\n{head}  "cases": [\n{body}\n  ]\n}}\n', encoding="utf-8")
    np.savez_compressed(FOLDER / f"{family}.npz", **arrays)


def _made(
    case: Case, exported: Any, run: Any, feeds: Any, made_at: tuple[int, int], arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": case.id, "made_by": case.made_by, "network": case.network, "open": case.open}
    (FOLDER / f"{case.id}.onnx").unlink(missing_ok=True)
    try:
        model = stripped(exported())
        data = model.SerializeToString(deterministic=True)
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:  # what exporters raise shares no base class
        return row | {"refused": _said(error)}
    (FOLDER / f"{case.id}.onnx").write_bytes(data)
    row["opset"] = next(item.version for item in model.opset_import if not item.domain)
    row["operators"] = dict(sorted(Counter(node.op_type for node in model.graph.node).items()))
    row["inputs"] = [item.name for item in session.get_inputs()]
    row["outputs"] = [item.name for item in session.get_outputs()]
    row["sizes"] = []
    for batch, time in sizes_of(case, made_at):
        fed = feeds(batch, time)
        try:
            found = session.run(None, dict(zip(row["inputs"], fed, strict=True)))
        except Exception as error:  # the file is kept: it is what the exporter makes
            row["fixed" if row["sizes"] else "invalid"] = _said(error)
            continue
        wanted = run(fed)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5, err_msg=case.id)
        row["sizes"].append((batch, time))
        _keep(arrays, f"{case.id}/{batch}/{time}/in", fed)
        _keep(arrays, f"{case.id}/{batch}/{time}/out", wanted)
    return row


def _keep(arrays: dict[str, np.ndarray], name: str, items: Sequence[np.ndarray]) -> None:
    arrays |= {f"{name}{place}": item for place, item in enumerate(items)}


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)}"[:_LONGEST]


def stripped(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what the exporter notes beside the model: metadata and doc strings, with paths of the machine."""
    graphs = [model.graph, *model.functions]
    del model.metadata_props[:]
    while graphs:
        graph = graphs.pop()
        del graph.metadata_props[:]
        graph.ClearField("doc_string")
        items = [*graph.node, *graph.value_info]
        if isinstance(graph, onnx.GraphProto):
            items += [*graph.input, *graph.output, *graph.initializer]
        for item in items:
            del item.metadata_props[:]
            item.ClearField("doc_string")
        graphs += [item.g for node in graph.node for item in node.attribute if item.HasField("g")]
    return model
