"""Tables as CSV for a spreadsheet, sent a piece at a time as they are read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, stream_with_context

from app.web.pieces import in_pieces

# A spreadsheet would run these as a formula; a telephone number or a negative amount is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,/-]*$)")


def csv_answer(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """An answer that a browser keeps as ``<name>.csv``: UTF-8 with a mark, so that spreadsheets read it as such."""
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-") or "list"
    headers = {"Content-Disposition": f'attachment; filename="{safe}.csv"'}
    lines = stream_with_context(in_pieces(csv_lines(heads, rows)))
    return Response(lines, mimetype="text/csv", content_type="text/csv; charset=utf-8", headers=headers)


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), first its mark and its heads."""
    yield "\ufeff" + _line(heads)
    for row in rows:
        yield _line(row)


def _line(values: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_cell(value) for value in values])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(str(each) for name, each in value.items() if name != "id")
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
