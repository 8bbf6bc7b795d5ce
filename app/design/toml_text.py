"""A form or a view as the text of a TOML file, laid out as those in ``forms/`` and ``views/`` are (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(table: Mapping[str, Any]) -> str:
    """The file that holds `table`: its own values first, then each section with a line a field, or a line a column."""
    lines = [
        f"{_key(key)} = {_value(value)}"
        for key, value in table.items()
        if key not in ("name", "sections", "columns") and value is not None
    ]
    for section in table.get("sections", ()):
        lines += ["", "[[sections]]"]
        lines += [f"{_key(key)} = {_value(value)}" for key, value in section.items() if key != "fields"]
        lines += _line_each("fields", section.get("fields", ()))
    if "columns" in table:
        lines += ["", *_line_each("columns", table["columns"])]
    return "\n".join(lines) + "\n"


def _line_each(name: str, values: Any) -> list[str]:
    return [f"{name} = [", *(f"  {_value(value)}," for value in values), "]"]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items() if each is not None)
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # A JSON text, number, true or false is one of TOML too, but for the one control character JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)
