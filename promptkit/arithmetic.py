"""Exact arithmetic on text from a model: + - * / and parentheses over numbers, as fractions. Never `eval`."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from typing import NamedTuple

LONGEST = 500  # characters of an expression
DEEPEST = 100  # levels of its tree
DIGITS = 40  # of one number, on either side of its point
PLACES = 15  # most decimal places `show` writes before it prefers a fraction

SIGNS = str.maketrans("×∗·⋅÷∕−–（）＋－＊／\u00a0\u202f", "****//--()+-*/  ")
TIMES = re.compile(r"(?<=[\d)])( *)[xX](?= *[\d(.])")
ALLOWED = re.compile(r"[0-9.+\-*/() ]+")
NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


class BadExpression(ValueError):
    """Not a plain arithmetic expression, or one without a value."""


class _Product(NamedTuple):
    """A signed product: its factors as rendered, and whether each is divided by."""

    sign: int
    factors: tuple[tuple[bool, str], ...]


def evaluate(text: str) -> Fraction:
    """The exact value of an expression; raises BadExpression for anything that is not one."""
    source, tree = _parse(text)
    return _value(source, tree)


def numbers_in(expression: str) -> tuple[Fraction, ...]:
    """The numbers an expression uses, in its order: "4*(10-6)" uses 4, 10 and 6."""
    source, tree = _parse(expression)
    leaves = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return tuple(_number(source, leaf) for leaf in sorted(leaves, key=lambda leaf: leaf.col_offset))


def canonical(expression: str) -> str:
    """One spelling for all orders and bracketings of the same sums and products; it uses the same numbers."""
    source, tree = _parse(expression)
    _value(source, tree)  # x/(y/0) would otherwise become x*0/y, which has a value
    return _show_sum(_sum(source, tree))


def show(value: Fraction) -> str:
    """A number as a person writes it: "18", "0.75", "7/3"; equal numbers are equal strings."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    sign = "-" if value < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    for places in range(1, PLACES + 1):
        if 10**places % value.denominator == 0:
            return f"{sign}{whole}.{rest * 10**places // value.denominator:0{places}d}"
    return str(value)


def _parse(text: str) -> tuple[str, ast.expr]:
    """The expression as Python spells it, and its tree, of known size and with nothing but arithmetic in it."""
    if len(text) > LONGEST:
        raise BadExpression(f"longer than {LONGEST} characters")
    source = TIMES.sub(r"\1*", text.translate(SIGNS)).strip()
    # Letters never reach the parser, so no name, call, attribute, 1e999 or 0x10 can be written.
    if not ALLOWED.fullmatch(source) or "**" in source or "//" in source:
        raise BadExpression(f"not plain arithmetic: {source[:80]!r}")
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadExpression(f"not an expression: {source[:80]!r}") from None
    level: list[ast.expr] = [tree]
    for _ in range(DEEPEST):
        if not all(isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Constant)) for node in level):
            break
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not level:
            return source, tree
    raise BadExpression(f"not plain arithmetic, or deeper than {DEEPEST} levels: {source[:80]!r}")


def _value(source: str, node: ast.expr) -> Fraction:
    match node:
        case ast.Constant():
            return _number(source, node)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(source, operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(source, operand)
        case ast.BinOp(left=left, op=op, right=right):
            one, two = _value(source, left), _value(source, right)
            match op:
                case ast.Add():
                    return one + two
                case ast.Sub():
                    return one - two
                case ast.Mult():
                    return one * two
                case ast.Div() if two:
                    return one / two
                case ast.Div():
                    raise BadExpression("division by zero")
    raise BadExpression(f"not plain arithmetic: {source[:80]!r}")


def _number(source: str, node: ast.Constant) -> Fraction:
    """A leaf read from its own text: the float Python made of 0.1 is not 1/10."""
    text = source[node.col_offset : node.end_col_offset]
    whole, _, places = text.partition(".")
    if not NUMBER.fullmatch(text) or len(whole) > DIGITS or len(places) > PLACES:
        raise BadExpression(f"not a number: {text[:80]!r}")
    return Fraction(text)


def _sum(source: str, node: ast.expr) -> tuple[_Product, ...]:
    """The signed products a node adds up, brackets opened as far as + and - go."""
    match node:
        case ast.UnaryOp(op=op, operand=operand):
            terms = _sum(source, operand)
            return _negated(terms) if isinstance(op, ast.USub) else terms
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(source, left) + _sum(source, right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _sum(source, left) + _negated(_sum(source, right))
        case _:
            return (_product(source, node),)


def _product(source: str, node: ast.expr) -> _Product:
    """The factors a node multiplies, brackets opened as far as * and / go."""
    match node:
        case ast.Constant():
            return _Product(1, ((False, show(_number(source, node))),))
        case ast.BinOp(left=left, op=(ast.Mult() | ast.Div()) as op, right=right):
            one, two = _product(source, left), _product(source, right)
            turned = tuple((under != isinstance(op, ast.Div), factor) for under, factor in two.factors)
            return _Product(one.sign * two.sign, one.factors + turned)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _product(source, operand)
            return inner._replace(sign=-inner.sign) if isinstance(op, ast.USub) else inner
        case _:
            terms = _sum(source, node)
            return terms[0] if len(terms) == 1 else _Product(1, ((False, f"({_show_sum(terms)})"),))


def _negated(terms: tuple[_Product, ...]) -> tuple[_Product, ...]:
    return tuple(_Product(-term.sign, term.factors) for term in terms)


def _show_sum(terms: tuple[_Product, ...]) -> str:
    shown = sorted((term.sign < 0, *_rank(_show_product(term))) for term in terms)
    text = "".join(f"{'-' if negative else '+'}{term}" for negative, *_, term in shown)
    return text.removeprefix("+")


def _show_product(product: _Product) -> str:
    shown = sorted((under, *_rank(factor)) for under, factor in product.factors)
    return "".join(f"{'/' if under else '*'}{factor}" for under, *_, factor in shown)[1:]


def _rank(shown: str) -> tuple[bool, Fraction, str]:
    """What is compound comes before lone numbers, those by size."""
    lone = bool(NUMBER.fullmatch(shown))
    return lone, Fraction(shown) if lone else Fraction(0), shown
