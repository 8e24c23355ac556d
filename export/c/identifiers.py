"""Names in C for things that are called as they please."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl complex const const_cast constexpr
continue decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if
imaginary inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
register reinterpret_cast restrict return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile wchar_t while xor
xor_eq linux unix main errno signal index time abs exp log pow sqrt floor erf tanh max min add sub mul div neg sign relu
nan infinity int8_t int32_t int64_t uint16_t uint32_t uint64_t context weights addresses total best one place sizes which
"""
#: What C and C++ keep for themselves, and what the C here uses.
RESERVED = frozenset(_WORDS.split())
#: What functions, and what counters and sums inside them, are called.
_OWN = re.compile(r".*_(f32|f64|i32|i64|u8)|[aijkpqrsvw]\d+[a-d]?|s\d+_\d+[a-d]?|w")
_LONGEST = 40


def identifier(name: str) -> str:
    """Return a name of letters, digits and underscores that C takes and does not keep for itself."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
    kept = [part for part in parts if not re.fullmatch(r"t\d+", part)] or parts
    found = "_".join(kept)[-_LONGEST:].strip("_").lower() or "value"
    if found[0].isdigit():
        found = f"n{found}"
    return f"{found}_" if found in RESERVED or _OWN.fullmatch(found) else found


class Identifiers:
    """Gives names that are all different.

    Args:
        taken: names that nothing may have.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = dict.fromkeys(taken, 1)

    def made(self, name: str) -> str:
        """Return a name like the one given that nothing has yet."""
        base = identifier(name)
        found, count = base, self._taken.get(base, 0)
        while found in self._taken:
            count += 1
            found = f"{base}_{count}"
        self._taken[base] = count
        self._taken[found] = self._taken.get(found, 1)
        return found
