"""Ways to mutate a model, by any field of any of its messages; and the ways that each kind of file is mutated in."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from fuzz_bytes import BYTES, FLOATS, INTEGERS, TEXTS, Mutation, flipped, spliced
from fuzz_formats import (
    changed_json,
    json_text,
    npy_header,
    safetensors_header,
    words,
    zip_directory,
    zip_members,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, EncodeError, Message
from onnx import ModelProto

_TYPE = FieldDescriptor
_FRACTIONS = (_TYPE.TYPE_FLOAT, _TYPE.TYPE_DOUBLE)
_SIGNED = {_TYPE.TYPE_INT32: 32, _TYPE.TYPE_ENUM: 32, _TYPE.TYPE_INT64: 64}


def fields(data: bytes, other: bytes, draw: Random) -> bytes:
    """A few fields of a model changed: sizes, dtypes, attributes, names, nodes removed, doubled or from another model."""
    model, donor = ModelProto(), ModelProto()
    try:
        model.ParseFromString(data)
        donor.ParseFromString(other)
    except DecodeError:
        return flipped(data, other, draw)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        with contextlib.suppress(EncodeError, DecodeError, ValueError):  # text that is no UTF-8 is not copied
            _change_message(model, donor, draw)
    try:
        return bytes(model.SerializeToString())
    except (EncodeError, ValueError):
        return data


def renamed(data: bytes, _: bytes, draw: Random) -> bytes:
    """A name changed everywhere at once, to one of the same length: not UTF-8, another's, or with an odd character."""
    names = sorted(set(re.findall(rb"[A-Za-z_][A-Za-z0-9_/:]{2,30}", data)))
    if not names:
        return data
    name = draw.choice(names)
    alike = [item for item in names if len(item) == len(name)]
    put = draw.choice((b"\xff" * len(name), b"\0" * len(name), b"/" * len(name), draw.choice(alike)))
    return data.replace(name, put, draw.choice((1, -1)))


def _change_message(message: Message, donor: Message, draw: Random) -> None:
    """Go down to some field by chance, and change it; the donor goes down beside as far as it is alike."""
    while True:
        present = [field for field, _ in message.ListFields()]
        if not present or draw.random() < 0.05:
            present = list(message.DESCRIPTOR.fields)
        field = draw.choice(present)
        if field.type != _TYPE.TYPE_MESSAGE:
            _change_plain(message, field, donor, draw)
            return
        theirs = _messages(donor, field)
        if draw.random() < 0.15:
            _change_submessage(message, field, theirs, draw)
            return
        mine = _messages(message, field)
        if not mine:
            getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name).SetInParent()
            return
        message = draw.choice(mine)
        donor = draw.choice(theirs) if theirs else message


def _messages(message: Message, field: FieldDescriptor) -> list[Message]:
    if field.name not in message.DESCRIPTOR.fields_by_name:
        return []
    if field.is_repeated:
        return list(getattr(message, field.name))
    return [getattr(message, field.name)] if message.HasField(field.name) else []


def _change_submessage(message: Message, field: FieldDescriptor, theirs: Sequence[Message], draw: Random) -> None:
    if not field.is_repeated:
        if theirs and draw.random() < 0.5:
            getattr(message, field.name).CopyFrom(draw.choice(theirs))
        else:
            message.ClearField(field.name)
        return
    items = getattr(message, field.name)
    if theirs and (not items or draw.random() < 0.25):
        items.add().CopyFrom(draw.choice(theirs))
        return
    if items:
        copies = [type(item).FromString(item.SerializeToString()) for item in items]
        _rearrange(copies, draw)
        del items[:]
        items.extend(copies)


def _rearrange(items: list[Any], draw: Random) -> None:
    """Remove, double or move an item, or remove all."""
    at = draw.randrange(len(items))
    how = draw.randrange(9)
    if how < 4:
        del items[at]
    elif how < 6:
        items.insert(draw.randrange(len(items) + 1), items[at])
    elif how < 8:
        items.insert(draw.randrange(len(items)), items.pop(at))
    else:
        items.clear()


def _change_plain(message: Message, field: FieldDescriptor, donor: Message, draw: Random) -> None:
    if not field.is_repeated:
        if draw.random() < 0.15:
            message.ClearField(field.name)
        else:
            setattr(message, field.name, _other(getattr(message, field.name), message, field, donor, draw))
        return
    items = list(getattr(message, field.name))
    if items and draw.random() < 0.7:
        at = draw.randrange(len(items))
        items[at] = _other(items[at], message, field, donor, draw)
    elif items and draw.random() < 0.7:
        _rearrange(items, draw)
    else:
        items.append(_other(items[0] if items else None, message, field, donor, draw))
    message.ClearField(field.name)
    getattr(message, field.name).extend(items)


def _other(value: Any, message: Message, field: FieldDescriptor, donor: Message, draw: Random) -> Any:
    """Return another value of a field's type: a telling one, one near it, or one that stands elsewhere."""
    if field.type in _FRACTIONS:
        chosen = draw.choice(FLOATS)
        return float("inf") if field.type == _TYPE.TYPE_FLOAT and chosen > 3.4e38 else chosen
    if field.type == _TYPE.TYPE_STRING:
        elsewhere = [item for item in _texts(donor) + _texts(message) if item]
        return draw.choice(elsewhere) if elsewhere and draw.random() < 0.6 else draw.choice(TEXTS)
    if field.type == _TYPE.TYPE_BYTES:
        old = value or b""
        if draw.random() < 0.2:
            return draw.choice(TEXTS).encode()
        return draw.choice(BYTES)(old, old, draw)
    if field.type == _TYPE.TYPE_ENUM:
        return draw.choice([item.number for item in field.enum_type.values])
    near = (value or 0) + draw.choice((-2, -1, 1, 2))
    return _fitting(draw.choice((near, draw.choice(INTEGERS), draw.randrange(30))), field)


def _fitting(value: int, field: FieldDescriptor) -> int:
    bits = _SIGNED.get(field.type)
    if bits is None:
        return value % 2 ** (32 if field.type in (_TYPE.TYPE_UINT32, _TYPE.TYPE_FIXED32) else 64)
    return max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, value))


def _texts(message: Message) -> list[str]:
    found: list[str] = []
    for field, value in message.ListFields():
        if field.type == _TYPE.TYPE_STRING:
            found += list(value) if field.is_repeated else [value]
    return [item for item in found if isinstance(item, str)]


def noted(data: bytes, _: bytes, draw: Random) -> bytes:
    """The states and limits in a model's metadata changed: anyone can have written them."""
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        return data
    texts = (item for item in model.metadata_props if isinstance(item.key, str) and isinstance(item.value, str))
    ours = [item for item in texts if item.key.startswith("unroll.")]
    if not ours:
        first = model.graph.input[0].name if model.graph.input else "x"
        name = first if isinstance(first, str) else "x"
        text = draw.choice((json.dumps({name: [[0, 1]]}), json.dumps({name: name}), "[1]", "nul", "1e999"))
        ours = [model.metadata_props.add(key=draw.choice(("unroll.limits", "unroll.states")), value=text)]
    item = draw.choice(ours)
    item.value = changed_json(item.value, draw)
    return bytes(model.SerializeToString())


MODELS: tuple[Mutation, ...] = (fields, fields, fields, fields, fields, fields, renamed, noted, *BYTES[:3], spliced)


#: The ways each kind of file is mutated in; those that know the format stand there more often.
WAYS: dict[str, tuple[Mutation, ...]] = {
    "foreign": MODELS,
    "exporters": MODELS,
    "own": MODELS,
    "external": MODELS,
    "npy": (npy_header, npy_header, npy_header, npy_header, *BYTES),
    "npz": (*(zip_members,) * 6, *(zip_directory,) * 6, *BYTES),
    "safetensors": (*(safetensors_header,) * 6, *BYTES),
    "cache": (*(json_text,) * 8, *BYTES),
    "program": (*(words,) * 9, *BYTES),
}


def mutated(kind: str, data: bytes, other: bytes, draw: Random) -> bytes:
    """Return a file mutated in one to three ways of its kind."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = draw.choice(WAYS[kind])(data, other, draw)
    # A program that asks for a thousand steps takes what they take: that is nobody's fault.
    return re.sub(rb"(\d\d)\d+", rb"\1", data) if kind == "program" else data
