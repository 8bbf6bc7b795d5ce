"""Every number of head office's pages opens into rows that are as many, or add up to as much, as it says.

The numbers and where they lead are read from the pages themselves, for everybody and for each dealer and make, so that
a number that is added later is held to it as well.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest
from head_office import BULLETIN, document, open_market
from visitors import Browser, signed_in

# Makes and models as people type them: quotes, slashes, colons, letters of other alphabets, and nothing at all.
ODD = 'O\'Brien & "Söhne" <b>/ 4:1'
KIRIL = "Завод"
DEALERS = ("", "D001", "D002")
MAKES = ("", "Acme", ODD, KIRIL, "(none)")
# Everybody with each make, and each dealer alone and with one that is easy to get wrong.
SCOPES = [{"dealer": dealer, "make": make} for dealer in DEALERS for make in MAKES if not dealer or make in ("", ODD)]
_NUMBER = re.compile(r"([\d,]+(?:\.\d+)?)(?: [\w ]+)?")
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


class Page(HTMLParser):
    """The numbers of a page: `linked` with the address each leads to, and `alone` in cells and figures without one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.linked: list[tuple[str, str]] = []
        self.alone: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        found = _NUMBER.fullmatch(data.replace("\xa0", " ").strip())
        if not found or not any(attributes.get("id") == "content" for _, attributes in self._open):
            return
        links = [attributes.get("href") or "" for tag, attributes in self._open if tag == "a"]
        classes = " ".join(attributes.get("class") or "" for _, attributes in self._open).split()
        if links:
            self.linked.append((found[1], links[-1]))
        elif "number" in classes or "figure-value" in classes:
            self.alone.append(found[1])


def _more() -> Iterator[dict[str, object]]:
    """Machines of odd makes with plans, prices, and a part that has none; opportunities without a stage or a value."""
    part, unpriced = document("part:Ö/1", number="Ö/1", name="=Filter", unit="piece", price=7.25), "part:X-9"
    yield part
    yield document(unpriced, number="X-9", name="Not priced", unit="set")
    for make, model, key in ((ODD, 'M/1: "a"', "OBRIENSOEHNEB41-M1A"), (KIRIL, "Тип 9", "ЗАВОД-ТИП9")):
        plan = [
            {"id": "a", "title": "Filter", "part": part["_id"], "quantity": 3, "every_hours": 250},
            {"id": "b", "title": "Oil", "part": "part:OIL-1", "quantity": 11.5, "every_hours": 500},
            {"id": "c", "title": "Set", "part": unpriced, "quantity": 1, "every_hours": 700},
        ]
        yield document(f"model:{key}", make=make, name=model, hours_per_day=6, plan=plan)
    for number in range(9):
        dealer = "D001" if number % 3 else "D002"
        make, model, key = ((ODD, 'M/1: "a"', "OBRIENSOEHNEB41-M1A"), (KIRIL, "Тип 9", "ЗАВОД-ТИП9"))[number % 2]
        yield document(
            f"{dealer}:machine:ODD-{number}",
            make=make,
            model=f"model:{key}" if number == 4 else model,
            serial=f"={number}",
            status=("in service", "in stock", "scrapped", "")[number % 4],
            delivered_on="2024-05-06",
            **({"position": {"latitude": 48.0 + number, "longitude": 9.5}} if number % 2 else {}),
        )
    yield document("D002:machine:X-1", serial="1")
    for number, stage in enumerate(("lead", "won", "", "open market", "negotiation")):
        value = {} if number == 0 else {"value": 1300 + 7 * number}
        yield document(f"D001:opportunity:o{number}", title=f"No {number}", stage=stage, **value)
    yield document("bulletin:B-2", code="B-2", title='Check "it"', make=ODD, severity="advice")


@pytest.fixture(scope="module")
def browser(store_server, tmp_path_factory) -> Iterator[Browser]:
    """An analyst's browser on a market that nothing here changes."""
    with open_market(store_server, tmp_path_factory.mktemp("figures"), list(_more())) as app:
        yield signed_in(app, "analyst")


class Rows:
    """What the rows behind addresses say, each asked for once."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._known: dict[str, dict[str, float]] = {}

    def sums(self, url: str) -> dict[str, float]:
        """How many rows there are behind an address, and what their quantities and values add up to."""
        if url not in self._known:
            self._known[url] = self._read(url)
        return self._known[url]

    def _read(self, url: str) -> dict[str, float]:
        parts = urlsplit(url)
        if parts.path == "/dealers":
            return {"rows": self._browser.get(url).text.count('class="row-link"')}
        month = re.fullmatch(r"/demand/(\d{4}-\d\d)", parts.path)
        path, query = ("/demand", f"month={month[1]}&{parts.query}") if month else (parts.path, parts.query)
        answer = self._browser.get(f"{path}.csv?{query}")
        assert answer.status_code == 200, url
        rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
        found: dict[str, float] = {"rows": len(rows)}
        for column in ("Value, EUR", "Quantity"):
            if rows and column in rows[0]:
                found[column] = sum(float(row[column] or 0) for row in rows)
        shown = self._browser.get(url)
        assert shown.status_code == 200, url
        if parts.path.startswith("/market"):
            assert re.search(rf"<strong>{len(rows)}\s", shown.text), f"{url} does not say that it has {len(rows)} rows"
            assert shown.text.count('class="row-link"') == min(len(rows), 50)
        return found


@pytest.fixture(scope="module")
def rows(browser: Browser) -> Rows:
    """The rows behind the pages' numbers."""
    return Rows(browser)


def _same(said: str, number: float) -> bool:
    digits = len(said.partition(".")[2])
    return abs(float(said.replace(",", "")) - number) <= 0.5 * 10**-digits + 1e-6


def _checked(page: Page, rows: Rows) -> set[str]:
    """Compares every number of a page that leads somewhere; returns what kinds of numbers there were."""
    kinds: set[str] = set()
    for said, url in page.linked:
        sums = rows.sums(url)
        fitting = [kind for kind, number in sums.items() if _same(said, number)]
        assert fitting, f"{said} leads to {url}, where there are {sums}"
        kinds.update(fitting if len(fitting) == 1 else ())
    return kinds


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: " ".join(filter(None, scope.values())) or "everybody")
@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/installed", "/demand"])
def test_every_number_opens_into_as_much_as_it_says(browser, rows, path, scope):
    answer = browser.get(f"{path}?{urlencode(scope)}")
    assert answer.status_code == 200
    page = Page(answer.text)
    if path == "/dashboard":
        assert len(page.linked) > 15
    _checked(page, rows)


def test_numbers_of_all_kinds_are_opened(browser, rows):
    assert _checked(Page(browser.get("/dashboard").text), rows) == {"rows", "Value, EUR", "Quantity"}


@pytest.mark.parametrize("scope", [SCOPES[0], {"dealer": "D001", "make": ""}, {"dealer": "D001", "make": ODD}])
def test_no_number_of_the_dashboard_leads_nowhere(browser, scope):
    page = Page(browser.get(f"/dashboard?{urlencode(scope)}").text)
    assert set(page.alone) <= {"0"}


@pytest.mark.parametrize("scope", [SCOPES[0], {"dealer": "D001", "make": ""}, {"dealer": "D001", "make": ODD}])
def test_every_month_opens_into_its_parts_and_these_into_machines(browser, rows, scope):
    page = Page(browser.get(f"/dashboard?{urlencode(scope)}").text)
    months = {url for _, url in page.linked if url.startswith("/demand/")}
    assert len(months) >= 6
    for url in months:
        found = Page(browser.get(url).text)
        assert found.linked
        _checked(found, rows)


def test_the_pipeline_of_all_dealers_opens_too(browser, rows):
    page = Page(browser.get("/dashboard/pipeline").text)
    assert len(page.linked) > 15
    _checked(page, rows)


def test_what_a_dealer_has_opens_too(browser, rows):
    shown = browser.get("/dealers/D001").text
    urls = re.findall(r'<a class="figure[^"]*" href="(/market/(?:machines|opportunities)[^"]*)"', shown)
    assert urls
    for url in urls:
        assert rows.sums(url.replace("&amp;", "&"))["rows"] > 0


def test_the_dealers_and_the_makes_are_all_there_is(browser, rows):
    everybody = rows.sums("/market/machines")["rows"]
    for name, values in (("dealer", DEALERS), ("make", MAKES)):
        each = [rows.sums(f"/market/machines?{urlencode({name: value})}")["rows"] for value in values if value]
        assert sum(each) == everybody == 13


def test_a_bulletin_of_a_make_counts_only_its_machines(browser, rows):
    scope = urlencode({"make": ODD})
    assert rows.sums(f"/market/bulletin-machines?bulletin=bulletin:B-2&{scope}")["rows"] > 0
    assert rows.sums(f"/market/bulletin-machines?bulletin={BULLETIN}&{scope}")["rows"] == 0
