"""Turning what a person typed into a field's value, and checking values that came from elsewhere (pure).

Every function returns the value or raises :class:`WrongValue` with the end of a sentence: what is expected instead.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from app.design.fields import Field
from app.documents.common import utc_text
from app.documents.ids import split_id

LONGEST_TEXT = 1_000
LONGEST_LONG_TEXT = 100_000
_EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]{2,}")
_PHONE = re.compile(r"[+0-9 ()/.\-]{3,40}(?: ?(?:ext\.?|x|Dw\.?) ?\d{1,6})?", re.IGNORECASE)
_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january januar jan jänner",
            "february februar feb",
            "march märz maerz mar mär mrz",
            "april apr",
            "may mai",
            "june juni jun",
            "july juli jul",
            "august aug",
            "september sep sept",
            "october oktober oct okt",
            "november nov",
            "december dezember dec dez",
        ),
        1,
    )
    for name in names.split()
}
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class WrongValue(ValueError):  # noqa: N818
    """What was typed cannot be the field's value; the text says what is expected."""


def value_of(field: Field, typed: Any, zone: tzinfo = UTC) -> Any:
    """The value of what was typed into a field that is not empty (rows are read by ``parsing``)."""
    return _READERS[field.type](field, typed, zone)


def _text(field: Field, typed: Any, zone: tzinfo) -> str:
    text = " ".join(clean(typed).split())
    if len(text) > LONGEST_TEXT:
        raise WrongValue(f"at most {LONGEST_TEXT:,} characters; there are {len(text):,}")
    return text


def _long_text(field: Field, typed: Any, zone: tzinfo) -> str:
    text = clean(typed).strip()
    if len(text) > LONGEST_LONG_TEXT:
        raise WrongValue(f"at most {LONGEST_LONG_TEXT:,} characters; there are {len(text):,}")
    return text


def clean(typed: Any) -> str:
    """A text as it is kept: composed characters, plain line ends, nothing that is not a character."""
    text = unicodedata.normalize("NFC", str(typed).replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def _number(field: Field, typed: Any, zone: tzinfo) -> int | float:
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        value = float(typed)
    else:
        value = float(_plain_number(str(typed), field.unit))
    if not math.isfinite(value) or abs(value) >= 1e15:
        raise WrongValue("a number of at most 15 digits")
    if field.whole and value != int(value):
        raise WrongValue("a whole number")
    if field.minimum is not None and value < field.minimum:
        raise WrongValue(f"{field.minimum:g} or more")
    if field.maximum is not None and value > field.maximum:
        raise WrongValue(f"{field.maximum:g} or less")
    return int(value) if value == int(value) else value


def _plain_number(typed: str, unit: str) -> str:
    text = typed.strip()
    for ending in (unit, "€", "EUR", "USD", "$", "CHF"):
        if ending:
            text = text.removesuffix(ending).removeprefix(ending).strip()
    text = re.sub(r"[\s'’_]", "", text).replace("−", "-")
    if not re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", text):
        raise WrongValue("a number, such as 1250 or 12.5")
    if "," in text and "." in text:
        # Whichever comes last is the decimal one: 1.234,5 and 1,234.5.
        thousands, decimal = (".", ",") if text.rfind(",") > text.rfind(".") else (",", ".")
        whole, _, rest = text.replace(decimal, "\0").rpartition("\0")
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(\{thousands}\d{{3}})+", whole) or not rest.isdigit():
            raise WrongValue("a number, such as 1250 or 12.5")
        return whole.replace(thousands, "") + "." + rest
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        raise WrongValue(f"either {text.replace(',', '')} or {text.replace(',', '.')}; with the comma it could be both")
    if re.fullmatch(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})+", text):
        return text.replace(",", "").replace(".", "")
    if text.count(",") + text.count(".") > 1:
        raise WrongValue("a number, such as 1250 or 12.5")
    return text.replace(",", ".")


def _date(field: Field, typed: Any, zone: tzinfo) -> str:
    text = str(typed).strip()
    try:
        day = _read_date(text)
    except ValueError:
        raise WrongValue("a date, such as 14.3.2026, 14 March 2026 or 2026-03-14") from None
    if not 1900 <= day.year <= 2199:
        raise WrongValue("a date between 1900 and 2199")
    return day.isoformat()


def _read_date(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        return date(*map(int, text.split("-")))
    if found := re.fullmatch(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})", text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        one, two = int(found[1]), int(found[2])
        # 3/4 is another day in America than in Britain: only what can be but one day is taken.
        if one != two and max(one, two) <= 12:
            raise ValueError(text)
        day, month = (one, two) if two <= 12 else (two, one)
        return date(int(found[3]), month, day)
    if found := re.fullmatch(r"(.+?),? (\d{4})", text):
        month, day = map(int, _read_day_of_year(found[1]).split("-"))
        return date(int(found[2]), month, day)
    raise ValueError(text)


def _time(field: Field, typed: Any, zone: tzinfo) -> str:
    text = str(typed).strip().replace(" ", "T", 1)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if not 1900 <= moment.year <= 2199:
            raise ValueError(text)
        return utc_text(moment)
    except (ValueError, OverflowError):
        raise WrongValue("a date and a time, such as 2026-03-14 09:30") from None


def _day_of_year(field: Field, typed: Any, zone: tzinfo) -> str:
    text = str(typed).strip()
    try:
        return _read_day_of_year(text)
    except ValueError:
        if re.search(r"\d{4}", text):
            raise WrongValue("a day and a month without the year, such as 14 March") from None
        raise WrongValue("a day and a month, such as 14 March, 14.3. or 03-14") from None


def _read_day_of_year(text: str) -> str:
    if found := re.fullmatch(r"(\d{1,2})-(\d{1,2})", text):
        month, day = int(found[1]), int(found[2])
    elif found := re.fullmatch(r"(\d{1,2})\. ?(\d{1,2})\.?", text):
        day, month = int(found[1]), int(found[2])
    elif found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|\.)? ?(?:of )?([^\W\d]+)\.?", text):
        day, month = int(found[1]), _month(found[2])
    elif found := re.fullmatch(r"([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?", text):
        day, month = int(found[2]), _month(found[1])
    else:
        raise ValueError(text)
    if not (1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1]):
        raise ValueError(text)
    return f"{month:02d}-{day:02d}"


def _month(name: str) -> int:
    if name.lower() not in _MONTHS:
        raise ValueError(name)
    return _MONTHS[name.lower()]


def _truth(field: Field, typed: Any, zone: tzinfo) -> bool:
    if isinstance(typed, bool):
        return typed
    text = str(typed).strip().lower()
    if text in ("yes", "on", "true", "1"):
        return True
    if text in ("no", "off", "false", "0", ""):
        return False
    raise WrongValue("yes or no")


def _choice(field: Field, typed: Any, zone: tzinfo) -> str:
    wanted = str(typed).strip()
    for value, label in field.choices:
        if wanted == value:
            return value
        if wanted.casefold() in (value.casefold(), label.casefold()):
            return value
    raise WrongValue("one of " + ", ".join(label for _, label in field.choices))


def _tags(field: Field, typed: Any, zone: tzinfo) -> list[str]:
    parts = typed if isinstance(typed, list) else re.split(r"[,;\n]", str(typed))
    found: dict[str, str] = {}
    for part in parts:
        tag = " ".join(clean(part).split())
        if len(tag) > 100:
            raise WrongValue("tags of at most 100 characters each, separated by commas")
        if tag:
            found.setdefault(tag.casefold(), tag)
    return list(found.values())


def _phone(field: Field, typed: Any, zone: tzinfo) -> str:
    text = " ".join(clean(typed).split())
    if not _PHONE.fullmatch(text) or sum(c.isdigit() for c in text) < 3:
        raise WrongValue("a telephone number, such as +49 731 12345")
    return text


def _email(field: Field, typed: Any, zone: tzinfo) -> str:
    text = clean(typed).strip().removeprefix("mailto:")
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise WrongValue("an e-mail address, such as name@example.com")
    return text


def _link(field: Field, typed: Any, zone: tzinfo) -> str:
    text = clean(typed).strip()
    if "://" not in text:
        # javascript:… and the like become the name of no computer and are refused below.
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and not re.search(r"\s", text)
        usable = usable and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or len(text) > 2_000:
        raise WrongValue("the address of a page, such as www.example.com")
    return text


def _reference(field: Field, typed: Any, zone: tzinfo) -> str:
    text = str(typed).strip()
    try:
        _, kind, _ = split_id(text)
    except ValueError:
        kind = ""
    if kind != field.target:
        raise WrongValue(f"a {field.target} chosen from the list")
    return text


def _position(field: Field, typed: Any, zone: tzinfo) -> dict[str, float]:
    if isinstance(typed, Mapping):
        parts = [typed.get("latitude", ""), typed.get("longitude", "")]
    else:
        parts = re.split(r"[;\s]+|,\s+", str(typed).strip())
    expected = "a latitude (-90 to 90) and a longitude (-180 to 180), such as 48.4011 and 9.9876"
    if len(parts) != 2:
        raise WrongValue(expected)
    try:
        latitude, longitude = (
            float(part) if isinstance(part, int | float) else float(str(part).strip().replace(",", "."))
            for part in parts
        )
    except ValueError:
        raise WrongValue(expected) from None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise WrongValue(expected)
    return {"latitude": round(latitude, 7), "longitude": round(longitude, 7)}


def _year(field: Field, typed: Any, zone: tzinfo) -> int | float:
    if isinstance(typed, str) and not re.fullmatch(r"\s*\d{1,4}\s*", typed):
        raise WrongValue("a year, such as 2018")
    return _number(replace(field, whole=True), typed, zone)


def _nothing(field: Field, typed: Any, zone: tzinfo) -> Any:
    raise WrongValue("a file, which is attached on the document's page")


_READERS: dict[str, Callable[[Field, Any, tzinfo], Any]] = {
    "text": _text,
    "long text": _long_text,
    "number": _number,
    "money": _number,
    "year": _year,
    "date": _date,
    "time": _time,
    "day of year": _day_of_year,
    "yes/no": _truth,
    "choice": _choice,
    "tags": _tags,
    "phone": _phone,
    "e-mail": _email,
    "link": _link,
    "reference": _reference,
    "position": _position,
    "attachment": _nothing,
}
