"""The functions that the C calls, each written where it is called and nowhere else.

``$t`` is the C type, ``$f`` what names end in, ``$u`` the unsigned type, ``$0``, ``$1`` numbers of the type.
"""

from __future__ import annotations

import re

import numpy as np

from unroll.export.c.lanes import AT_ONCE_TEXT, HELD_TEXT, lanes_text
from unroll.export.c.types import C_TYPES, SUFFIXES, number
from unroll.export.c.widening import FUNCTIONS

#: By name: the C of the function, by math: "fast" names no library, "libm" does; "both" where they are one.
_FLOAT: dict[str, str] = {
    "abs": "{ return x < 0 ? -x : x == 0 ? 0 : x; }",
    "relu": "{ return x < 0 ? 0 : x; }",
    "sign": "{ return x > 0 ? 1 : x < 0 ? -1 : x; }",
    "softsign": "{ return x / (1 + (x < 0 ? -x : x)); }",
}
_INTEGER: dict[str, tuple[str, str]] = {
    "abs": ("x", "{ return x < 0 ? ($t)(0 - ($u)x) : x; }"),
    "add": ("ab", "{ return ($t)(($u)a + ($u)b); }"),
    "div": ("ab", "{ return b == 0 ? 0 : b == -1 ? ($t)(0 - ($u)a) : a / b; }"),
    "max": ("ab", "{ return a > b ? a : b; }"),
    "min": ("ab", "{ return a < b ? a : b; }"),
    "mul": ("ab", "{ return ($t)(($u)a * ($u)b); }"),
    "neg": ("x", "{ return ($t)(0 - ($u)x); }"),
    "sign": ("x", "{ return ($t)((x > 0) - (x < 0)); }"),
    "sub": ("ab", "{ return ($t)(($u)a - ($u)b); }"),
}
_EXP_F32 = """\
/* exp(x) to 2 ulp: 2^n * exp(r), r from -log(2)/2 to log(2)/2; right for NaN, infinities and denormals. */
static inline float exp_f32(float x) {
    union { float number; uint32_t bits; } y, n, low, high;
    float r, s, p;
    uint32_t power, half;
    y.number = x;
    y.bits &= 0x7FFFFFFFu;
    y.number = y.number > 104.0f ? 104.0f : y.number;
    n.number = x;
    y.bits |= n.bits & 0x80000000u; /* x, kept between -104 and 104 */
    n.number = y.number * 1.44269504f + 12582912.0f; /* rounds to a whole number, which the last bits hold */
    power = n.bits - 0x4B400000u;
    n.number -= 12582912.0f;
    r = (y.number - n.number * 0.693359375f) - n.number * -2.12194440e-4f;
    s = r * r;
    p = (0.499999934f + 0.166665196f * r) + s * ((0.0416683964f + 0.00836879667f * r) + s * 0.00138144335f);
    p = (1.0f + r) + s * p;
    half = ((power + 512u) >> 1) - 256u; /* 2^n in two steps, of which neither overflows */
    low.bits = (half + 127u) << 23;
    high.bits = (power - half + 127u) << 23;
    return p * low.number * high.number;
}
"""
_SIGMOID_F32 = """\
/* 1 / (1 + exp(-x)) to 1e-7, and to 3e-7 of it where it is small: of e = 2^64 * exp(-|x|), e / (2^64 + e) where x < 0, else
   2^64 / (2^64 + e). */
static inline float sigmoid_f32(float x) {
    union { float number; uint32_t bits; } y, n;
    float r, s, e;
    y.number = x;
    y.bits |= 0x80000000u;
    y.bits = y.bits > 0xC2D00000u ? 0xC2D00000u : y.bits; /* -|x|, and no less than -104 */
    y.bits |= 0u - (uint32_t)(x != x); /* NaN stays NaN */
    n.number = y.number * 1.44269504f + 12583103.0f; /* as in exp, and 64 + 127 more: its last bits are those of 2^(n + 64) */
    r = n.number - 12583103.0f;
    n.bits <<= 23;
    r = (y.number - r * 0.693359375f) - r * -2.12194440e-4f;
    s = r * r;
    e = (0.499992281f + 0.166671172f * r) + s * (0.0418906547f + 0.00831246749f * r);
    e = ((1.0f + r) + s * e) * n.number;
    return (x < 0 ? e : 18446744073709551616.0f) / (18446744073709551616.0f + e);
}
"""
_EXP_F64 = """\
/* exp(x) to 2 ulp: 2^n * exp(r), r from -log(2)/2 to log(2)/2; right for NaN, infinities and denormals. */
static inline double exp_f64(double x) {
    union { double number; uint64_t bits; } y, n, low, high;
    double r, s, p, q;
    uint64_t power, half, large;
    n.number = y.number = x;
    y.bits &= UINT64_C(0x7FFFFFFFFFFFFFFF);
    large = 0u - (uint64_t)(y.number > 746.0); /* all bits, or none: without branches compilers make vectors of it */
    y.bits = (y.bits & ~large) | (UINT64_C(0x4087500000000000) & large) | (n.bits & UINT64_C(0x8000000000000000));
    n.number = y.number * 1.4426950408889634 + 6755399441055744.0; /* rounds to a whole number, which the last bits hold */
    power = n.bits - UINT64_C(0x4338000000000000);
    n.number -= 6755399441055744.0;
    r = (y.number - n.number * 6.93145751953125e-1) - n.number * 1.42860682030941723212e-6;
    s = r * r;
    p = r * ((1.26177193074810590878e-4 * s + 3.02994407707441961300e-2) * s + 9.99999999999999999910e-1);
    q = ((3.00198505138664455042e-6 * s + 2.52448340349684104192e-3) * s + 2.27265548208155028766e-1) * s + 2.0;
    p = 1.0 + 2.0 * (p / (q - p));
    half = ((power + 4096u) >> 1) - 2048u; /* 2^n in two steps, of which neither overflows */
    low.bits = (half + 1023u) << 52;
    high.bits = (power - half + 1023u) << 52;
    return p * low.number * high.number;
}
"""
_TANH_F32 = """\
/* tanh(x) to 3.1e-7, and as exact next to zero: |x| times a quotient of polynomials in x * x; 1 from 7.9 on. */
static inline float tanh_f32(float x) {
    union { float number; uint32_t bits; } y, given;
    float s, t, p, q;
    uint32_t large;
    given.number = y.number = x;
    y.bits &= 0x7FFFFFFFu;
    large = 0u - (uint32_t)(y.number > 7.905f); /* all bits, or none: without branches compilers make vectors of it */
    s = y.number * y.number;
    t = s * s;
    p = 1.0f + s * ((0.134516522f + 0.00358018349f * s) + t * (2.20414349e-5f + 1.54501247e-8f * s));
    q = 1.0f + s * ((0.467849821f + 0.0261968579f * s) + t * (3.42553947e-4f + 8.6085214e-7f * s));
    y.number *= p / q;
    y.bits = (y.bits & ~large) | (0x3F800000u & large) | (given.bits & 0x80000000u);
    return y.number;
}
"""
_TANH_F64 = """\
/* tanh(x) to 2 ulp: a quotient of polynomials next to zero, 1 - 2 / (exp(2 * x) + 1) elsewhere. */
static inline double tanh_f64(double x) {
    union { double number; uint64_t bits; } y, near, far;
    double s = x * x, p, q;
    uint64_t small, sign;
    y.number = x;
    sign = y.bits & UINT64_C(0x8000000000000000);
    y.bits ^= sign;
    p = (-9.64399179425052238628e-1 * s + -9.92877231001918586564e1) * s + -1.61468768441708447952e3;
    q = ((s + 1.12811678491632931402e2) * s + 2.23548839060100448583e3) * s + 4.84406305325125486048e3;
    far.number = 1.0 - 2.0 / (exp_f64(2.0 * y.number) + 1.0);
    small = 0u - (uint64_t)(y.number < 0.625); /* all bits, or none */
    near.number = y.number + y.number * s * (p / q);
    near.bits = (near.bits & small) | (far.bits & ~small) | sign;
    return near.number;
}
"""
_FAST = {
    "exp_f32": _EXP_F32,
    "exp_f64": _EXP_F64,
    "sigmoid_f32": _SIGMOID_F32,
    "tanh_f32": _TANH_F32,
    "tanh_f64": _TANH_F64,
}
#: Functions of floats whose text is one for both types: parameters and body.
_SHARED: dict[str, tuple[str, str]] = {
    "elu": ("x alpha", "{ return x > 0 ? x : alpha * $m_expm1(x > 0 ? 0 : x); }"),
    "hard_sigmoid": (
        "x alpha beta",
        "{ $t y = alpha * x + beta; y = y < 0 ? 0 : y; return y > 1 ? 1 : y; }",
    ),
    "leaky_relu": ("x alpha", "{ return x >= 0 ? x : alpha * x; }"),
    "max": ("a b", "{ return ((a > b) | (a != a)) ? a : b; }"),
    "min": ("a b", "{ return ((a < b) | (a != a)) ? a : b; }"),
    "sigmoid": (
        "x",
        "{ $t small = exp_$f(x < 0 ? x : -x); return (x < 0 ? small : 1) / (1 + small); }",
    ),
    "softplus": ("x", "{ return (x > 0 ? x : x != x ? x : 0) + $m_log1p(exp_$f(x < 0 ? x : -x)); }"),
    "erf": ("x", "{ return $m_erf(x); }"),
    "floor": ("x", "{ return $m_floor(x); }"),
    "log": ("x", "{ return $m_log(x); }"),
    "pow": ("a b", "{ return $m_pow(a, b); }"),
    "sqrt": ("x", "{ return $m_sqrt(x); }"),
}
#: Functions, and not signs: a compiler warns of what is compared with itself.
_COMPARISONS = {"equal": "==", "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<="}
_POW_INT = """\
static inline $t pow_$f($t a, int64_t b) {
    $u power = 1, factor = ($u)a;
    if (b < 0) {
        return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : a == 0 ? $least : 0;
    }
    for (; b; b /= 2, factor *= factor) {
        if (b % 2) {
            power *= factor;
        }
    }
    return ($t)power;
}
"""
_INT_OF = """\
/* A float as an integer: without its fraction; the least integer for NaN and what does not fit, as processors have it. */
static inline $t $f_of_$g($s x) { return x >= -$most && x < $most ? ($t)x : $least; }
"""
_CLAMPED = """\
/* An index: negative ones count from the end; one outside is brought inside. */
static inline int index_$f($t at, int size) {
    at = at < 0 ? at + size : at;
    return at < 0 ? 0 : at >= size ? size - 1 : (int)at;
}
"""
_REVERSED = """\
/* Where element `at` of a row comes from that is reversed as far as its length. */
static inline $t reversed_$f($t at, $t length) { return at < length ? length - 1 - at : at; }
"""
_CALL = re.compile(r"\b([a-z][a-z_0-9]*?)_(f32|f64|i32|i64|u8)\(")
_OF_MATH = re.compile(r"\b(?:erf|exp|expm1|floor|log|log1p|pow|sqrt|tanh)f?\(")
_DTYPES = {end: name for name, end in SUFFIXES.items()}


def definitions(text: str, math: str) -> str:
    """Return what functions C needs, in an order in which each comes after all it calls."""
    found: dict[tuple[str, str], str] = {}

    def visit(code: str) -> None:
        for name, end in _CALL.findall(code):
            if (name, end) in found:
                continue
            written = definition(name, end, math)
            if written:
                visit(written.partition("{")[2])
                found[name, end] = written

    visit(text)
    lanes = [lanes_text(np.dtype(name)) for name, end in SUFFIXES.items() if f"lanes_{end} " in text]
    macros = [macro for name, macro in (("IN_REGISTER(", HELD_TEXT), ("AT_ONCE\n", AT_ONCE_TEXT)) if name in text]
    return "\n".join(item.rstrip("\n") for item in (*lanes, *macros, *found.values()))


def definition(name: str, end: str, math: str) -> str:
    """Return the C of one function; empty where it is none of ours."""
    dtype = _DTYPES[end]
    kind = C_TYPES[dtype]
    if name in ("index", "reversed"):
        return _filled(_CLAMPED if name == "index" else _REVERSED, end)
    if name in _COMPARISONS:
        return f"static inline unsigned char {name}_{end}({kind} a, {kind} b) {{ return a {_COMPARISONS[name]} b; }}"
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if "_of" in name:
        return _int_of(name.removesuffix("_of"), end)
    if dtype == "bool":
        return ""
    if dtype.startswith("int"):
        if name == "pow":
            return _filled(_POW_INT, end)
        if name not in _INTEGER:
            return ""
        letters, body = _INTEGER[name]
        parameters = ", ".join(f"{kind} {letter}" for letter in letters)
        return _filled(f"static inline {kind} {name}_{end}({parameters}) {body}", end)
    if math == "fast" and f"{name}_{end}" in _FAST:
        return _FAST[f"{name}_{end}"]
    if name in ("exp", "tanh"):
        return _filled(f"static inline {kind} {name}_{end}({kind} x) {{ return $m_{name}(x); }}", end)
    if name in _FLOAT:
        return _filled(f"static inline {kind} {name}_{end}({kind} x) {_FLOAT[name]}", end)
    if name not in _SHARED:
        return ""
    names, body = _SHARED[name]
    parameters = ", ".join(f"{kind} {letter}" for letter in names.split())
    return _filled(f"static inline {kind} {name}_{end}({parameters}) {body}", end)


def _filled(text: str, end: str) -> str:
    kind = C_TYPES[_DTYPES[end]]
    unsigned = "uint32_t" if end == "i32" else "uint64_t"
    text = text.replace("$least", "INT32_MIN" if end == "i32" else "INT64_MIN")
    text = re.sub(r"\$m_(\w+)\(", lambda match: match.group(1) + ("f(" if end == "f32" else "("), text)
    return text.replace("$t", kind).replace("$u", unsigned).replace("$f", end)


def _int_of(to: str, end: str) -> str:
    most = number(2.0 ** (31 if to == "i32" else 63), np.dtype(_DTYPES[end]))
    text = _INT_OF.replace("$most", most).replace("$g", end).replace("$s", C_TYPES[_DTYPES[end]])
    return _filled(text, to)


def needs_math(text: str) -> bool:
    """Say whether C calls functions of <math.h>."""
    return bool(_OF_MATH.search(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)))
