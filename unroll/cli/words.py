"""Messages in the words of the command line: what Python calls ``dims={"time": 28}`` is ``--dim time=28`` here."""

from __future__ import annotations

import re
from collections.abc import Container

#: What an argument of a Python function is called here.
FLAGS: dict[str, str] = {
    "batch": "--batch",
    "cache": "--no-cache",
    "dims": "--dim",
    "dtype": "--dtype",
    "feeds": "--feed",
    "fetches": "--fetch",
    "form": "--form",
    "full": "--full",
    "ir_version": "--ir-version",
    "level": "--level",
    "nonfinite": "--nonfinite",
    "opset": "--opset",
    "quantize": "--quantize",
    "runtime": "--any-runtime",
    "seed": "--seed",
    "timesteps": "--dim",
    "tolerance": "--tolerance",
    "tune": "--no-tune",
}
#: Flags that say nothing more: which value of the argument they stand for.
_SWITCHES = {"cache": "False", "full": "True", "nonfinite": "True", "runtime": "None", "tune": "False"}
#: Arguments that messages name without a value.
_BARE = {"dims say": "--dim says", "in dims": "with --dim", "dims": "--dim"}
_GIVEN = re.compile(
    r"\b(?:trace\((?=timesteps=))?(?P<name>[a-z_]+)=(?P<value>\{[^{}]*\}|\"[^\"]*\"|'[^']*'|[\w.*-]+)\)?"
)
_PAIR = re.compile(r"(?P<q>[\"']?)(?P<key>[^\"',:{}]+)(?P=q)\s*:\s*(?P<value>[^,{}]+)")


def in_flags(message: str, flags: Container[str]) -> str:
    """Return a message with what it says of Python's arguments said of the flags that a command has."""

    def flag(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        wanted = FLAGS.get(name)
        tail = ")" if found[0].endswith(")") and not found[0].startswith("trace(") else ""
        if wanted is None or wanted not in flags:
            return found[0]
        if name in _SWITCHES:
            return wanted + tail if value == _SWITCHES[name] else found[0]
        if name == "dims" and value.startswith("{"):
            return (
                " ".join(f"--dim {pair['key'].strip()}={pair['value'].strip()}" for pair in _PAIR.finditer(value))
                + tail
            )
        if name == "timesteps":
            return f"--dim time={value}{tail}"
        return f"{wanted} {value.strip(chr(34) + chr(39))}{tail}"

    said = _GIVEN.sub(flag, message)
    said = re.sub(r"(--[a-z-]+) \(\1\)", r"\1", said)  # where a message says both
    if "--dim" in flags:
        for bare, word in _BARE.items():
            said = re.sub(rf"(?<![\w.`-]){bare}\b", word, said)
    return said
