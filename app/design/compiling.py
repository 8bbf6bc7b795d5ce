"""Compiling a view into a design document (pure).

``rows`` has a row for each document and each order it can be listed in: ``[sort, category…, key…]``, where `sort` is
empty for the view's own order and otherwise the column that was clicked. Its value holds the cells, so that a page of
a list is one request and no document is read. ``totals`` has ``[category…]`` with ``[1, total…]``, which the store adds
up.
"""

from __future__ import annotations

import json
from typing import Any

from app.design.views import Column, Condition, View

_LONGEST_KEY = 80
_LONGEST_CELL = 200

# What every map function goes on with: the value of a cell, and what a cell sorts by. The store sorts texts without
# regard to case, so they are keys as they are.
_FUNCTIONS = f"""\
  function cell(value) {{
    if (typeof value === 'string') {{ return value.slice(0, {_LONGEST_CELL}); }}
    return value === undefined ? null : value;
  }}
  function key(value, order, emptyLast) {{
    if (Array.isArray(value)) {{ value = value.length ? value[0] : null; }}
    if (value === undefined || value === null || typeof value === 'object') {{ value = ''; }}
    if (order) {{
      var place = order.indexOf(value);
      return place < 0 ? order.length : place;
    }}
    if (value === '' && emptyLast) {{ return '\\ufff0'; }}
    return typeof value === 'string' ? value.slice(0, {_LONGEST_KEY}) : value;
  }}
  function number(value) {{ return typeof value === 'number' && isFinite(value) ? value : 0; }}
"""


def compile_view(view: View) -> dict[str, Any]:
    """The body of the view's design document, without ``_id``; `view` as it is in the database (``in_database``)."""
    selection = _selection(view)
    cells = ", ".join(f"cell({_value(column)})" for column in view.columns)
    categories = [_category(view.by_field[field]) for field in view.category]
    own = ["''", *categories, *(_key(view.by_field[field]) for field in view.sort)]
    orders = [own, *([_text(field), _key(view.by_field[field])] for field in view.sorts)]
    emits = "\n".join(f"  emit([{', '.join(parts)}], cells);" for parts in orders)
    rows = (
        f"function (doc) {{\n{selection}{_FUNCTIONS}"
        f"  var cells = [{cells}, doc.disputes ? doc.disputes.length : 0];\n{emits}\n}}"
    )
    numbers = ["1", *(f"number({_value(view.by_field[field])})" for field in view.totals)]
    totals = f"function (doc) {{\n{selection}{_FUNCTIONS}  emit([{', '.join(categories)}], [{', '.join(numbers)}]);\n}}"
    return {
        "language": "javascript",
        "views": {"rows": {"map": rows}, "totals": {"map": totals, "reduce": "_sum"}},
    }


def _selection(view: View) -> str:
    # First and alone, for a store can pass over all other documents when a function begins like that.
    tests = [f"doc.type !== {_text(view.type)}"] if view.type else ["!doc.type"]
    tests += [_fails(condition) for condition in view.where]
    if view.formula:
        tests.append(f"!({view.formula.strip()})")
    return "".join(f"  if ({test}) {{ return; }}\n" for test in tests)


def _fails(condition: Condition) -> str:
    value = f"doc[{_text(condition.field)}]"
    if condition.test == "has":
        missing = f"({value} === undefined || {value} === null || {value} === '' || {value}.length === 0)"
        return missing if condition.value else f"!{missing}"
    if condition.test in ("at_least", "at_most"):
        sign = ">=" if condition.test == "at_least" else "<="
        # A value of another type compares with nothing.
        return f"!(typeof {value} === typeof {_text(condition.value)} && {value} {sign} {_text(condition.value)})"
    wanted = condition.value if isinstance(condition.value, list) else [condition.value]
    # A field without a value is the same as false and as an empty text.
    found = f"{_text(wanted)}.indexOf({value} === undefined || {value} === null ? {_nothing(wanted)} : {value})"
    return f"{found} {'<' if condition.test == 'is' else '>='} 0"


def _nothing(wanted: list[Any]) -> str:
    return "false" if any(isinstance(each, bool) for each in wanted) else "''"


def _value(column: Column) -> str:
    if column.formula:
        return f"({column.formula.strip()})"
    return f"doc[{_text(column.field)}]"


def _key(column: Column) -> str:
    return f"key({_value(column)}, {_text(list(column.order)) if column.order else 'null'}, {_text(column.empty_last)})"


def _category(column: Column) -> str:
    """A category's part of the key: its place in the order, if it has one, and the value itself."""
    plain = f"key({_value(column)}, null, false)"
    return f"[{_key(column)}, {plain}]" if column.order else plain


def _text(value: Any) -> str:
    """A JSON text that is also JavaScript of the fifth edition."""
    return json.dumps(value, ensure_ascii=True)
