from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.web import formatting as f


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_dates_have_one_format_that_nobody_misreads() -> None:
    assert plain(f.format_date("2026-02-03")) == "3 Feb 2026"
    assert plain(f.format_date(date(2026, 2, 3))) == "3 Feb 2026"
    assert plain(f.format_date("2026-02-03T23:30:00Z")) == "3 Feb 2026"
    assert f.format_date(None) == ""
    assert f.format_date("some day") == "some day"


def test_times_are_told_in_the_nodes_time_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert plain(f.format_time("2026-07-01T22:30:00Z", berlin)) == "2 Jul 2026, 00:30"
    assert plain(f.format_time(datetime(2026, 1, 1, 12, tzinfo=UTC), berlin)) == "1 Jan 2026, 13:00"


def test_a_birthday_needs_no_year() -> None:
    assert plain(f.format_day_of_year("11-05")) == "5 Nov"
    assert plain(f.format_day_of_year("02-29")) == "29 Feb"
    assert f.format_day_of_year("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12345.5, "12,345.5"), (1234567, "1,234,567"), (0.126, "0.13"), (-3.10, "-3.1"), (None, "")],
)
def test_numbers_show_the_digits_they_have(value: float | None, text: str) -> None:
    assert f.format_number(value) == text


def test_what_is_no_number_is_shown_as_it_is() -> None:
    assert f.format_number("many") == "many"
    assert f.format_number(float("nan")) == ""
    assert f.format_hours("many") == ""


def test_hours_and_money_carry_their_unit() -> None:
    assert plain(f.format_hours(4312.4)) == "4,312 h"
    assert plain(f.format_money(1234.5, "EUR")) == "1,234.50 EUR"
    assert plain(f.format_money(250_000, "EUR")) == "250,000 EUR"
    assert plain(f.format_money(12, "EUR")) == "12.00 EUR"
    assert plain(f.format_size(3_400_000)) == "3.4 MB"
    assert plain(f.format_size(512)) == "512 bytes"


def test_one_thing_is_not_several() -> None:
    assert plain(f.format_count(1, "machine")) == "1 machine"
    assert plain(f.format_count(0, "machine")) == "0 machines"
    assert plain(f.format_count(1200, "delivery", "deliveries")) == "1,200 deliveries"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "x:y"]
)
def test_a_link_that_could_run_something_is_no_link(link: str) -> None:
    assert f.safe_link(link) == ""


def test_a_web_address_without_scheme_becomes_one() -> None:
    assert f.safe_link("www.example.com/a") == "https://www.example.com/a"
    assert f.safe_link("http://example.com") == "http://example.com"
    assert f.format_host("https://www.example.com/") == "example.com"
    assert f.telephone_link("+49 (0)30 / 12-34") == "tel:+490301234"
