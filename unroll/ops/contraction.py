"""Products over axes that have letters, `einsum` and `tensordot`: as a matmul where they are one."""

from __future__ import annotations

from typing import Any

from unroll.checks import check_size, check_text, plain, shown
from unroll.errors import ArgumentError
from unroll.ops.arithmetic import mul
from unroll.ops.linear import matmul
from unroll.ops.operator import as_tensor, axes_of, listed
from unroll.ops.reduction import reduce_sum
from unroll.ops.shaping import transpose, unsqueeze
from unroll.tensor import Tensor, TensorLike


def contracted(a: Tensor, b: Tensor, mine: str, theirs: str, result: str) -> Tensor:
    """Return the product of two tensors whose axes have letters, summed over those that are not in the result.

    Raises:
        ArgumentError: a letter stands twice in an operand, or one that both have not is summed over.
    """
    batch = [letter for letter in mine if letter in theirs and letter in result]
    over = [letter for letter in mine if letter in theirs and letter not in result]
    left, right = [x for x in mine if x not in theirs], [x for x in theirs if x not in mine]
    if {*left, *right} - {*result} or len({*mine}) < len(mine) or len({*theirs}) < len(theirs):
        raise ArgumentError(
            f"{mine},{theirs}->{result}: a letter stands once in each, and only shared ones are summed over"
        )
    if len(over) == 1 and len(right) == 1 and (not batch or len(left) == 1):
        one = transpose(a, [mine.index(letter) for letter in (*batch, *left, *over)])
        other = transpose(b, [theirs.index(letter) for letter in (*batch, *over, *right)])
        order = [*batch, *left, *right]
        return transpose(matmul(one, other), [order.index(letter) for letter in result])
    letters, spread = [*result, *over], []
    for x, names in ((a, mine), (b, theirs)):
        turned = transpose(x, [names.index(at) for at in letters if at in names])
        spread.append(unsqueeze(turned, [place for place, at in enumerate(letters) if at not in names]))
    product = mul(*spread)
    return reduce_sum(product, [*range(len(result), len(letters))]) if over else product


def einsum(equation: str, *operands: TensorLike) -> Tensor:
    """Return sums over letters of products of tensors, as ``numpy.einsum``.

    Raises:
        ArgumentError: the equation does not fit the tensors, or is none of products and sums.
    """
    inputs = [as_tensor(item, "einsum") for item in operands]
    left, arrow, result = check_text(equation, "einsum: equation").replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        result = "".join(sorted(letter for letter in {*left} - {","} if left.count(letter) == 1))
    letters = set(left) - {","}
    is_alike = [len(term) for term in terms] == [item.rank for item in inputs]
    if not is_alike or not {*result} <= letters or not "".join(letters).isalpha():
        raise ArgumentError(
            f"einsum {equation!r}: a term of letters is wanted for each of {len(inputs)} tensors, one an axis"
        )
    found, names = inputs[0], terms[0]
    for place, item in enumerate(inputs[1:], 1):
        alone = [at for at in names if at not in result and at not in "".join(terms[place:])]
        found = reduce_sum(found, [names.index(at) for at in alone]) if alone else found
        names = "".join(at for at in names if at not in alone)
        kept = "".join(
            at for at in dict.fromkeys(names + terms[place]) if at in result or at in "".join(terms[place + 1 :])
        )
        found, names = contracted(found, item, names, terms[place], kept), kept
    alone = [at for at in names if at not in result]
    found = reduce_sum(found, [names.index(at) for at in alone]) if alone else found
    names = "".join(at for at in names if at not in alone)
    return found if names == result else transpose(found, [names.index(letter) for letter in result])


def tensordot(a: TensorLike, b: TensorLike, axes: Any) -> Tensor:
    """Return the sum over pairs of axes of a product, or over the last `axes` of one and the first of the other.

    Raises:
        ArgumentError, ArgumentTypeError: `axes` is neither a number nor two lists of one length.
    """
    a, b = as_tensor(a, "tensordot"), as_tensor(b, "tensordot")
    given = plain(axes)
    if isinstance(given, int):
        count = check_size(given, "tensordot: axes", least=0)
        given = [[*range(a.rank - count, a.rank)], [*range(count)]]
    sides = [plain(side) for side in listed(given, "tensordot: axes")]
    over = [axes_of(side, x.rank, "tensordot: axes") for x, side in zip((a, b), sides, strict=False)]
    if len(sides) != 2 or len(over[0]) != len(over[1]):
        raise ArgumentError(
            f"tensordot: axes are {shown(axes)}; a number, or one list of axes for each tensor, is wanted"
        )
    mine, theirs = [chr(97 + at) for at in range(a.rank)], [chr(65 + at) for at in range(b.rank)]
    for one, other in zip(*over, strict=True):
        theirs[other] = mine[one]
    result = [at for at in mine if at not in theirs] + [at for at in theirs if at not in mine]
    return contracted(a, b, "".join(mine), "".join(theirs), "".join(result))
