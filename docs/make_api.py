"""Write docs/api.md: every name of ours, and of the three frameworks' recurrent APIs what is done with each argument.

``python docs/make_api.py`` reads the frameworks' own signatures (tests/golden/api_signatures.json) and compares them with
ours, and with what each class declares: ``TRAINING_ONLY``, ``SCHEDULING`` and ``REFUSED``. An argument that none of these
accounts for stops it, so that none is ignored in silence.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import unroll
from unroll import activations, cells, drivers, foreign_names, initializers, layers, nn, ops, seq2seq
from unroll.export.forms import FORMS
from unroll.ops import spelling
from unroll.passes import pipeline

HERE = Path(__file__).resolve().parent
SIGNATURES = HERE.parent / "tests" / "golden" / "api_signatures.json"

TITLES = {
    "tensorflow": ("TensorFlow 1", "`tf.compat.v1.nn.rnn_cell` and `tf.compat.v1.nn`", "`unroll.cells` and `unroll`"),
    "contrib": ("TensorFlow 1's contrib", "`tf.contrib.rnn`", "`unroll.cells` and `unroll`"),
    "keras": ("Keras 3", "`keras.layers`", "`unroll.layers`"),
    "torch": ("PyTorch", "`torch.nn`", "`unroll.nn`"),
}
#: The compiler: the names of `unroll` that are no framework's, in the order of a program.
PROGRAM = {
    "Making a graph": (
        "placeholder", "constant", "Parameter", "scope", "step", "trace", "Graph", "Stream", "StateSaver", "Tensor",
    ),
    "Drawing it": ("draw", "draw_kernel", "draw_values", "draw_diff", "view"),
    "Writing and reading ONNX": ("save", "to_onnx", "from_onnx"),
    "Writing C": ("to_c",),
    "Rewriting it": ("optimize", "reroll", "unroll", "equivalent"),
    "Running it in onnxruntime": ("Session", "compile", "run_many", "verify"),
    "Asking about it": ("explain", "check_gate_order"),
    "Errors": ("UnrollError", "UnrollWarning"),
}  # fmt: skip
#: The words of other frameworks, by the title of the table.
FOREIGN = {
    "Of the package": foreign_names.UNROLL, "Of `unroll.ops`": spelling.ELSEWHERE, "Of a tensor": foreign_names.TENSOR,
    "Of a Parameter": foreign_names.PARAMETER, "Of the shape of a tensor": foreign_names.SHAPE,
    "Of `unroll.initializers`": foreign_names.INITIALIZERS,
    "Of a graph or a session": foreign_names.GRAPH, "Of a cell, a layer, a module or a model": foreign_names.MODEL,
    "Of `unroll.layers`": foreign_names.LAYERS, "Of `unroll.nn`": foreign_names.NN,
    "Of `unroll.cells`": foreign_names.CELLS, "Of `unroll.seq2seq`": foreign_names.SEQ2SEQ,
}  # fmt: skip
#: What TensorFlow's drivers take to schedule a loop that is not here.
SCHEDULING = ("parallel_iterations", "swap_memory")
#: Names of the frameworks that have no counterpart yet.
WAITING = {
    "BidirectionalGridLSTMCell": "not yet: a grid over frequency",
    "CFNCell": "not yet",
    "CompiledWrapper": "no: it compiles with XLA, which has nothing to act on here",
    "GLSTMCell": "not yet",
    "GridLSTMCell": "not yet: a grid over frequency",
    "HighwayWrapper": "not yet",
    "LayerNormLSTMCell": "not yet; LayerNormBasicLSTMCell is",
    "NTMCell": "not yet: a Turing machine's memory",
    "TimeFreqLSTMCell": "not yet: a grid over frequency",
    "WeightNormLSTMCell": "not yet",
}


def ours(framework: str, name: str) -> Any:
    """Our counterpart of a framework's name; None where there is none yet."""
    homes = {"keras": (layers,), "torch": (nn,)}.get(framework, (cells, drivers, unroll))
    return next((getattr(home, name) for home in homes if hasattr(home, name)), None)


def parameters_of(thing: Any) -> dict[str, inspect.Parameter]:
    """The arguments of a function, or of a class's constructor."""
    found = dict(inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters)
    return {name: item for name, item in found.items() if name != "self"}


def account(thing: Any, name: str, default: str | None) -> str:
    """What is done here with one argument of the framework's.

    Raises:
        SystemExit: nothing is declared for it.
    """
    parameters = parameters_of(thing)
    refused = getattr(thing, "REFUSED", {})
    if name in refused:
        return f"refused unless it is left at its default: {refused[name]}"
    if name in getattr(thing, "TRAINING_ONLY", ()):
        return "kept on the object; acts in training only"
    if name in (*getattr(thing, "SCHEDULING", ()), *(SCHEDULING if inspect.isfunction(thing) else ())):
        return "accepted; it says how to compute, never what, and the trace is the same"
    if name not in parameters:
        raise SystemExit(f"{thing.__qualname__}: nothing is said of the argument {name!r}")
    found = parameters[name].default
    mine = None if found is inspect.Parameter.empty else getattr(found, "__name__", repr(found))
    same = mine == default or (mine == "None" and default is not None and "." in default and not default[0].isdigit())
    return "same" if same else f"same; the default here is {'none' if mine is None else f'`{mine}`'}"


def extras(thing: Any, names: set[str]) -> str:
    """What our counterpart takes besides."""
    more = [name for name in parameters_of(thing) if name not in names and name not in ("args", "kwargs")]
    return f"Besides, here: {', '.join(f'`{name}`' for name in more)}." if more else ""


def section(framework: str, version: str, names: dict[str, list[list[str | None]]]) -> list[str]:
    """One framework's tables."""
    title, theirs, here = TITLES[framework]
    lines = [f"## {title} {version}", "", f"{theirs} there, {here} here.", ""]
    base = names.get("Layer", []) if framework == "keras" else []
    for name, arguments in names.items():
        thing = ours(framework, name)
        lines += [f"### {name}", ""]
        if thing is None:
            lines += [f"{WAITING[name][0].upper()}{WAITING[name][1:]}.", ""]
            continue
        arguments = [pair for pair in arguments if not str(pair[0]).startswith("_")]  # the framework's own business
        listed = [*arguments, *(pair for pair in base if pair[0] not in {item for item, _ in arguments})]
        if not listed:
            lines += ["No arguments of its own.", ""]
            continue
        lines += ["| argument | its default there | here |", "| --- | --- | --- |"]
        for argument, default in listed:
            shown = "required" if default is None else f"`{default}`"
            lines.append(f"| `{argument}` | {shown} | {account(thing, str(argument), default)} |")
        lines += ["", *filter(None, [extras(thing, {str(argument) for argument, _ in listed})]), ""]
    return lines


def called(thing: Any) -> str:
    """How a function or class is called: its arguments with their defaults."""
    shown = []
    try:
        items = parameters_of(thing).values()
    except (TypeError, ValueError):
        return ""
    for item in items:
        star = {item.VAR_POSITIONAL: "*", item.VAR_KEYWORD: "**"}.get(item.kind, "")
        default = "" if item.default is item.empty else f"={item.default!r}"
        shown.append(f"{star}{item.name}{default}")
    return ", ".join(shown)


def said(thing: Any) -> str:
    """The first sentence of a docstring, in one line."""
    first = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]
    first = first.removesuffix(".").removesuffix(" for what is preserved").removesuffix("; see this module") + "."
    return " ".join(first.split()).replace("``", "`").replace("|", "\\|")


def rows_of(names: tuple[str, ...] | list[str], home: Any, prefix: str) -> list[str]:
    """A table of names: how each is called, and what it does."""
    lines = ["| name | arguments | |", "| --- | --- | --- |"]
    for name in names:
        thing = getattr(home, name)
        arguments = called(thing).replace("|", "\\|")
        lines.append(f"| `{prefix}{name}` | {f'`{arguments}`' if arguments else ''} | {said(thing)} |")
    return [*lines, ""]


def compiler() -> list[str]:
    """What is ours alone: graphs, operators, passes and forms."""
    lines = ["## Graphs, and what is done with them", ""]
    for title, names in PROGRAM.items():
        lines += [f"### {title}", "", *rows_of(names, unroll, "unroll.")]
    lines += [
        "### The passes of `optimize`",
        "",
        "`unroll.optimize(graph, passes=[...])` runs those that are named, in order.",
        "",
    ]
    lines += ["| pass | by default | |", "| --- | --- | --- |"]
    lines += [
        f"| `{name}` | {'yes' if name in pipeline.DEFAULT else 'no'} | {said(function)} |"
        for name, function in pipeline.PASSES.items()
    ]
    lines += [
        "",
        "### The forms of `to_onnx`",
        "",
        f"{', '.join(f'`{name}`' for name in FORMS)}; see `unroll.to_onnx`.",
        "",
    ]
    functions = [name for name in ops.__all__ if name.islower()]
    lines += [
        "## Operators", "",
        "`unroll.ops`, with ONNX's names and meanings. What is no tensor among the operands becomes a constant. `a + b`, "
        "`a @ b`, `a[1:3]`, `-a`, `a > b`, `np.tanh(a)` and `np.stack([a, b])` build the operator of that name.", "",
        *rows_of(functions, ops, "ops."),
        "Arguments are taken by other frameworks' names too:", "",
        "| here | as well |", "| --- | --- |",
        *(f"| `{name}` | {', '.join(f'`{other}`' for other in others)} |" for name, others in spelling.WORDS.items()), "",
    ]  # fmt: skip
    lines += [
        "## Decoders and attention", "",
        "`unroll.seq2seq`, with the names of TensorFlow 1's `tf.contrib.seq2seq`.", "",
        *rows_of(seq2seq.__all__, seq2seq, "seq2seq."),
    ]  # fmt: skip
    for title, home, text in (
        ("Activations", activations, "What `activation=` takes by its name, as functions of a tensor."),
        (
            "Initialisers",
            initializers,
            "What `kernel_initializer=` and its like take: the name, an object or the class; each is there in snake case too.",
        ),
    ):
        classes = [name for name in home.__all__ if name[0].isupper()]
        names = classes or [name for name in home.__all__ if not name.startswith("get_")]
        lines += [f"## {title}", "", text, "", *rows_of(names, home, f"{home.__name__.removeprefix('unroll.')}.")]
    return lines


def words() -> list[str]:
    """What the errors say of names that are not here."""
    lines = ["## Words of other frameworks", "", "Whoever asks for one of these is told what to write.", ""]
    for title, table in FOREIGN.items():
        lines += [f"### {title}", "", "| word | here |", "| --- | --- |"]
        lines += [f"| `{word}` | {advice} |" for word, advice in table.items()]
        lines += [""]
    return lines


def make() -> str:
    """The whole page."""
    content = json.loads(SIGNATURES.read_text(encoding="utf-8"))
    lines = [
        "# Every name",
        "",
        "Made by `python docs/make_api.py` from the frameworks' own signatures and from ours; do not edit it.",
        "",
        *compiler(),
        "## Three frameworks",
        "",
        "*same*: the name, the meaning and the default are the framework's. Arguments that act in training only are kept on "
        "the object: a traced graph infers. What cannot be honoured raises `UnsupportedError` with the reason given here; an "
        "argument that no framework knows raises as well. Nothing is ignored in silence.",
        "",
    ]
    for framework, names in content["names"].items():
        lines += section(framework, content["versions"][framework], names)
    lines += words()
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"


if __name__ == "__main__":
    (HERE / "api.md").write_text(make(), encoding="utf-8")
