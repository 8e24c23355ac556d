"""Messages in the words of the command line: what Python calls ``dims={"time": 28}`` is ``--dim time=28`` here."""

from __future__ import annotations

import re
from collections.abc import Container

#: What an argument of a Python function is called here.
FLAGS: dict[str, str] = {
    "batch": "--batch",
    "cache": "--no-cache",
    "cell": "--cell",
    "dims": "--dim",
    "direction": "--direction",
    "dpi": "--dpi",
    "dtype": "--dtype",
    "expected": "--expected",
    "feeds": "--feed",
    "fetches": "--fetch",
    "form": "--form",
    "full": "--full",
    "ir_version": "--ir-version",
    "legend": "--legend",
    "level": "--level",
    "most_nodes": "--most-nodes",
    "nonfinite": "--nonfinite",
    "opset": "--opset",
    "quantize": "--quantize",
    "row": "--row",
    "runners": "--runners",
    "runtime": "--any-runtime",
    "seed": "--seed",
    "step": "--step",
    "theme": "--theme",
    "timesteps": "--dim",
    "title": "--title",
    "tolerance": "--tolerance",
    "tune": "--no-tune",
    "unit": "--unit",
    "values": "--values",
}
#: Flags that say nothing more: which value of the argument they stand for.
_SWITCHES = {
    "cache": "False",
    "full": "True",
    "legend": "True",
    "nonfinite": "True",
    "runtime": "None",
    "tune": "False",
    "values": "True",
}
#: The one value of an argument that other functions have as well.
_ONLY = {"dtype": "float16"}
#: What is done otherwise here.
_PHRASES = {
    "'float16', or None for the graph's own": "'float16'; leave --dtype out for the graph's own",
    "'int8', or None": "'int8'; leave --quantize out to keep the weights as they are",
    "run the graph with unroll.Session(graph)": "run it with unroll run",
    "run it with unroll.Session": "run it with unroll run",
    "pass cache=a folder of yours, or cache=False": "give cache=False",
}
#: Arguments that messages name without a value.
_BARE = {
    "dims hold": "--dim gives",
    "dims say": "--dim says",
    "in dims": "with --dim",
    "dims": "--dim",
    "feeds hold": "--feed gives",
    "values hold": "--value gives",
    "values: ": "--value ",
    "ir_version": "--ir-version",
}
#: The function that a message begins with; the command is said before it.
_FUNCTION = re.compile(
    r"^(check_gate_order|compile|draw|draw_diff|draw_kernel|draw_values|equivalent|explain|export|from_onnx|optimize|reroll|save|Session|summary|"
    r"to_c|to_onnx|unroll|verify|view): "
)
_GIVEN = re.compile(r"\b(?P<name>[a-z_]+)=(?P<value>\{[^{}]*\}|\"[^\"]*\"|'[^']*'|[\w.-]+)")
_PAIR = re.compile(r"(?P<quote>[\"'])(?P<key>[^\"']+)(?P=quote): *(?P<value>[^,{}]+)")


def in_flags(message: str, flags: Container[str]) -> str:
    """Return a message with what it says of Python's arguments said of the flags that a command has."""

    def flag(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"].strip("\"'")
        if name == "values" and value.startswith("{") and "--value" in flags:
            return " ".join(f"--value {pair['key']}={pair['value'].strip()}" for pair in _PAIR.finditer(value))
        wanted = FLAGS.get(name)
        if wanted is None or wanted not in flags or _ONLY.get(name, value) != value:
            return found[0]
        if name in _SWITCHES:
            return wanted if value == _SWITCHES[name] else found[0]
        if name == "timesteps":
            return f"{wanted} time={value}"
        pairs = (
            [f"{pair['key']}={pair['value'].strip()}" for pair in _PAIR.finditer(value)] if name == "dims" else [value]
        )
        return " ".join(f"{wanted} {item}" for item in pairs)

    for phrase, instead in _PHRASES.items():
        message = message.replace(phrase, instead)
    message = _FUNCTION.sub("", message)
    said = _GIVEN.sub(flag, message)
    for bare, word in _BARE.items():
        if next(part for part in word.split() if part.startswith("--")) in flags:
            said = re.sub(rf"(?<![\w.`'\"-]){bare}\b", word, said)
    return said
