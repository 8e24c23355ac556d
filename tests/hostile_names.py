"""A thousand names that are markup, escapes or nothing to read, and graphs that have them in every place that has a name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import unroll

#: What a script would set if it ran: ``document.title`` of a page, and this variable.
MARK = "hostileran"
_RUN = f"window.{MARK}=document.title='ran'"
_ENDS = ("", '"', "'", ">", "]]>", "--", "</", "\\")
PIECES = (
    f"<script>{_RUN}</script>", f"</script><script>{_RUN}</script>", f"<img src=x onerror={_RUN}>",
    f"--><svg onload={_RUN}>", f"</text><script>{_RUN}</script>", f"</title></style><script>{_RUN}</script>",
    f"'onfocus='{_RUN}' autofocus x='", f'" onmouseover="{_RUN}" x="', f"javascript:{_RUN}",
    f"data:text/html,<script>{_RUN}</script>", f"<a href=javascript:{_RUN}>",
    f"<iframe srcdoc='<script>parent.{_RUN}</script>'>", "<style>*{display:none}</style>", "<![CDATA[", "]]>", "<!--",
    "-->", "<?xml?>", "<!DOCTYPE x [<!ENTITY a 'b'>]>", "&a;", "&amp;<&>", "&#0;", "&", '"quoted"', "'", "<b>",
    "<br/>", "<TD>", "<>", "\\N", "\\G\\E\\T\\H\\L", "\\n\\l\\r", "\\", "\\\\", '\\"', "%00", "%s%d", "{t}",
    "{{data}}", "{{script}}", "${1}", "#35;", "`code`", "```", "**bold**", "%%", "%%{init: {}}%%", '"] --> x["', "end",
    "subgraph a", "graph", "node", "click n0 href", "|", "[]", "{a|b}", "---", "title: x", ":::", "@{", "$$x$$",
    "__proto__", "constructor", "toString", "t7", "t7/t8", "0", "-1", "z_f", " ", "  two  ", "\x00", "nul\x00in it",
    "two\nlines", "\r\n", "\t", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u2029", "\ufeff", "\ufffe", "\u200b",
    "\u202eright to left", "\u2066isolate", "\u05e9\u05dc\u05d5\u05dd", "\u0627\u0644\u0633\u0644\u0627\u0645",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "x\u0301\u0302\u0303",
    "\u6f22\u5b57", "\ufb01", "\u00df", "\U000e0041", "\U0010fffd",
)  # fmt: skip


def _names() -> list[str]:
    """A thousand different names: the pieces alone, with ends, in pairs; and some of 10,000 characters."""
    long = [(piece * 10_000)[:10_000] for piece in ("a", "<b>", '"', "\U0001f600", "\\N", "&", "]]>", "\u05e9")]
    ended = (piece + end for end in _ENDS for piece in PIECES)
    paired = (one + other for one, other in itertools.combinations(PIECES, 2))
    return list(itertools.islice(dict.fromkeys(itertools.chain(long, ended, paired)), 1000))


NAMES = tuple(_names())


def usable(name: str) -> bool:
    """Whether a program may give this name: the others are refused, and come from files only."""
    return name.isprintable() and all(name.split("/"))


def in_a_program(names: list[str]) -> unroll.Graph:
    """Return a stack of loops over two steps whose inputs, scopes, cells and outputs have these names."""
    steps: Sequence[unroll.Tensor] = [unroll.placeholder([None, 2], name) for name in names[:2]]
    inputs, outputs = list(steps), {}
    for scope, cell, output in zip(names[2::3], names[3::3], names[4::3], strict=False):
        steps, _ = unroll.static_rnn(unroll.GRUCell(2, name=cell), steps, scope=scope)
        outputs[output] = steps[-1]
    return unroll.Graph(inputs, outputs)


def in_a_file(names: list[str]) -> onnx.ModelProto:
    """Return a model in which inputs, outputs, weights, nodes, tensors, operators, strings and metadata have these names.

    Names with a NUL, which no file may have, are in strings.
    """
    texts = iter([name for name in names if "\0" in name])
    pieces = iter([name for name in names if "\0" not in name])
    read = next(pieces)
    first = helper.make_tensor_value_info(read, TensorProto.FLOAT, ["batch", 2])
    nodes, weights, known = [], [], []
    for place, (weight, node, made, kind) in enumerate(zip(pieces, pieces, pieces, pieces, strict=False)):
        weights.append(numpy_helper.from_array(np.full(2, place, np.float32), weight))
        if place % 2:
            nodes.append(helper.make_node("Add", [read, weight], [made], name=node))
        else:
            text = next(texts, kind)
            nodes.append(
                helper.make_node(kind, [read, weight], [made], name=node, doc_string=text, domain="mine", text=text)
            )
        known.append(helper.make_tensor_value_info(made, TensorProto.FLOAT, ["batch", 2]))
        read = made
    graph = helper.make_graph(nodes, "graph", [first], [known.pop()], weights, value_info=known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)])
    for name in names[:50]:
        model.metadata_props.add(key=name, value=name)
    return model
