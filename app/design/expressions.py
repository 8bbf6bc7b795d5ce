"""Small expressions over a document's fields, for computed values and titles.

An expression is arithmetic (``price * quantity``), or a text with fields in braces (``"{make} {model}"``). It knows
nothing else: no calls, no attributes, nothing that could reach the machine it runs on.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_BRACES = re.compile(r"\{(\w+)\}")
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def check_expression(expression: str, where: str) -> None:
    """Raises DesignError, beginning with `where`, for an expression that :func:`compute` cannot work out."""
    from app.design.fields import DesignError

    if _BRACES.search(expression):
        return
    try:
        tree = ast.parse(expression, mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError) as problem:
        raise DesignError(
            f"{where}: {expression!r} is no expression; it may hold fields, numbers, + - * / and brackets, "
            f"or be a text with fields in braces."
        ) from problem


def compute(expression: str, document: Mapping[str, Any]) -> str | float | None:
    """The value of an expression for a document; None when a field it needs has no value."""
    if _BRACES.search(expression):
        return filled(expression, document) or None
    try:
        value = _value(ast.parse(expression, mode="eval").body, document)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
        return None
    return round(value, 6)


def filled(template: str, document: Mapping[str, Any], spoken: Callable[[str, Any], str] | None = None) -> str:
    """A text with fields in braces, filled in; missing ones leave no gap. `spoken` turns (field, value) into text."""

    def text(match: re.Match[str]) -> str:
        name = match[1]
        value = document.get(name)
        if value is None or isinstance(value, dict | list | bool):
            return ""
        return spoken(name, value) if spoken else str(value)

    return " ".join(_BRACES.sub(text, template).split()).strip(" ,-–")


def fields_named(template: str) -> list[str]:
    """The fields that a text with braces names, in order."""
    return _BRACES.findall(template)


def _check(node: ast.AST) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(node.left)
        _check(node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand)
    elif not (
        isinstance(node, ast.Name)
        or (isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool))
    ):
        raise ValueError(type(node).__name__)


def _value(node: ast.AST, document: Mapping[str, Any]) -> float:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, document), _value(node.right, document))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, document)
    value = document.get(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    return value
