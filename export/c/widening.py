"""Reading weights that are held in fewer bits: whole numbers of int8, and float16, which C99 has not, as uint16_t."""

from __future__ import annotations

from unroll.export.c.layout import Buffer

_HALF = """\
/* A float16 as a float, exactly: its bits moved into place, and the exponent put right. */
static inline float half_f32(uint16_t half) {
#if defined(__ARM_FP16_FORMAT_IEEE)
    union { uint16_t bits; __fp16 number; } found;
    found.bits = half;
    return found.number;
#else
    union { uint32_t bits; float number; } found;
    found.bits = (half & 0x7FFFu) << 13;
    found.number *= 5.192296858534828e33f; /* 2^112 */
    found.bits |= (half & 0x7FFFu) >= 0x7C00u ? 0x7F800000u : 0u; /* infinities and NaN */
    found.bits |= (half & 0x8000u) << 16;
    return found.number;
#endif
}
"""
#: A vector is listed element by element: gcc makes one instruction of that, and many of a loop or of __builtin_convertvector.
_LISTED = """\
#if LANES_F32 == 8
    const $type $name = {from[0], from[1], from[2], from[3], from[4], from[5], from[6], from[7]};
#elif LANES_F32 == 4
    const $type $name = {from[0], from[1], from[2], from[3]};
#else
    $type $name;
    for (int at = 0; at < LANES_F32; ++at) $name[at] = from[at];
#endif
"""
_HALVES = """\
/* As many as there are lanes. */
static inline lanes_f32 halves_f32(const uint16_t *from) {
    (void)half_f32; /* called where there is one lane */
#if LANES_F32 == 8 && defined(__F16C__)
    typedef short halves __attribute__((vector_size(16), aligned(2), may_alias));
    return (lanes_f32)__builtin_ia32_vcvtph2ps256(*(const halves *)from);
#elif LANES_F32 > 1
    typedef uint32_t words __attribute__((vector_size(LANES_F32 * 4)));
    typedef float floats __attribute__((vector_size(LANES_F32 * 4)));
$listed    const words size = bits & 0x7FFFu;
    const floats found = (floats)(size << 13) * 5.192296858534828e33f;
    return (lanes_f32)((words)found | ((words)(size >= 0x7C00u) & 0x7F800000u) | (bits & 0x8000u) << 16);
#else
    return half_f32(*from);
#endif
}
""".replace("$listed", _LISTED.replace("$type", "words").replace("$name", "bits"))
_BYTES = """\
/* As many whole numbers as there are lanes, as floats. */
static inline lanes_f32 bytes_f32(const int8_t *from) {
#if LANES_F32 > 1
    typedef int32_t words __attribute__((vector_size(LANES_F32 * 4)));
$listed    return __builtin_convertvector(numbers, lanes_f32);
#else
    return (float)*from;
#endif
}
""".replace("$listed", _LISTED.replace("$type", "words").replace("$name", "numbers"))
#: The functions that read weights, by name.
FUNCTIONS = {"bytes": _BYTES, "half": _HALF, "halves": _HALVES}


def widened(element: str, buffer: Buffer, lanes: bool = False) -> str:
    """Return C that reads an element, or lanes from it on, of a weight in fewer bits; empty where it is not in fewer."""
    if buffer.held == buffer.dtype:
        return ""
    half = buffer.held.name == "float16"
    if lanes:
        return f"{'halves' if half else 'bytes'}_f32(&{element})"
    return f"half_f32({element})" if half else f"(float){element}"
