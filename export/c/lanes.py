"""Lanes: as many numbers as a register of the processor holds, added and multiplied at once.

What is written over lanes is right for any count of them. gcc and clang have vectors for them; elsewhere there is one lane, and
lanes are plain numbers. So products keep their sums in registers whichever compiler there is, at any level of optimisation.
"""

from __future__ import annotations

from unroll.dtypes import DType
from unroll.export.c.types import c_type, suffix

#: The bytes of the largest register that is used: AVX. Those of AVX-512 make other instructions slower on many processors.
MOST_BYTES = 32
#: gcc reads what several products take again for each of them where it finds registers few: half as many products a second.
HELD_TEXT = """\
/* Keeps gcc from reading a number from memory again each time it is used. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__SSE2__)
#define IN_REGISTER(x) __asm__("" : "+x"(x))
#elif defined(__GNUC__) && !defined(__clang__) && defined(__aarch64__)
#define IN_REGISTER(x) __asm__("" : "+w"(x))
#else
#define IN_REGISTER(x) (void)(x)
#endif
"""
#: clang takes one number at a time where it carries what was stored before into a loop, or finds too many addresses to compare;
#: gcc writes loops of 8 out before it looks for vectors.
AT_ONCE_TEXT = """\
/* Before a loop none of whose runs needs another: compilers take several at once, with what they read from memory. */
#if defined(__clang__)
#define AT_ONCE __asm__ volatile("" ::: "memory"); _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#pragma clang diagnostic ignored "-Wpass-failed"
#elif defined(__GNUC__) && __GNUC__ >= 8
#define AT_ONCE _Pragma("GCC unroll 1")
#else
#define AT_ONCE
#endif
"""
_TEXT = """\
/* Lanes: numbers that the processor handles at once. One lane, a plain number, is right everywhere. */
#ifndef $N
#if defined(__GNUC__) && defined(__AVX__)
#define $N $most
#elif defined(__GNUC__) && (defined(__SSE2__) || defined(__aarch64__) || defined(__wasm_simd128__))
#define $N $half
#else
#define $N 1
#endif
#endif
#if $N > 1
typedef $t lanes_$f __attribute__((vector_size($N * sizeof($t)), aligned(sizeof($t)), may_alias));
#define ZERO_$F ((lanes_$f){0})
#else
typedef $t lanes_$f;
#define ZERO_$F 0
#endif
static inline lanes_$f load_$f(const $t *from) { return *(const lanes_$f *)from; }
static inline void store_$f($t *to, lanes_$f numbers) { *(lanes_$f *)to = numbers; }
"""


def most_lanes(dtype: DType) -> int:
    """Return how many numbers of a dtype the largest register holds."""
    return MOST_BYTES // dtype.itemsize


def lanes_text(dtype: DType) -> str:
    """Return the C that lanes of a dtype need."""
    most, end = most_lanes(dtype), suffix(dtype)
    text = _TEXT.replace("$most", str(most)).replace("$half", str(most // 2)).replace("$N", f"LANES_{end.upper()}")
    return text.replace("$t", c_type(dtype)).replace("$F", end.upper()).replace("$f", end)
