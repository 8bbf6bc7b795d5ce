"""`ironbook bench pages` and `bench sync` run whole, on books too small to say anything of speed."""

import os

import pytest

from bench import conflicts, dealers, first_sync, pages, sync

# Both open stores of their own on this computer.
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("IRONBOOK_COUCHDB_URL")), reason="bench measures the embedded store"
)


def test_bench_pages_has_a_figure_for_every_page_and_for_memory(monkeypatch):
    monkeypatch.setattr(pages, "_ROUNDS", 1)
    monkeypatch.setattr(pages, "_WARM_UPS", 0)
    monkeypatch.setattr(pages, "_STARTS", 1)
    found = {figure.name: figure for figure in pages.figures(200, quiet=True)}
    budgets = {name: figure.budget for name, figure in found.items() if figure.budget is not None}
    for page in (
        "list of customers", "list of machines", "machine's page", "home", "parts desk", "search box", "birthdays",
        "replication", "customer's page",
    ):  # fmt: skip
        assert any(name.startswith(f"{page}, ") and name.endswith("p95") for name in budgets)
    assert budgets["serve ready, warm, best of 1"] == 2.0
    assert budgets["serve and its store, resident (RSS)"] == 150.0
    assert all(figure.value > 0 for name, figure in found.items() if not name.endswith("processor time"))


def test_bench_sync_says_what_a_pass_costs_and_how_much_of_it_is_the_stores(monkeypatch):
    monkeypatch.setattr(sync, "_ROUNDS", 1)
    found = {figure.name: figure for figure in sync.figures(200)}
    assert found["nothing to do"].budget == 0.5
    assert found["100 changes each way"].budget == 2.0
    shares = [figure for name, figure in found.items() if name.endswith("in the store")]
    assert [(figure.budget, figure.unit) for figure in shares] == [(90, "%"), (90, "%")]
    assert all(0 < figure.value <= 100 for figure in shares)
    assert found["nothing to do, over the same replications without a pass"].value > 0.5


def test_bench_sync_merges_conflicts_and_says_what_that_costs():
    found = {figure.name: figure for figure in conflicts.figures(30)}
    assert found["30 conflicts merged"].budget == 60.0
    assert found["30 conflicts merged, over writing as many documents"].value > 0


def test_bench_sync_of_many_dealers_compares_every_document_and_feeds_every_book(monkeypatch):
    monkeypatch.setattr(dealers, "DOCUMENTS", 20)
    monkeypatch.setattr(dealers, "_MINUTE", 1.0)
    found = {figure.name: figure for figure in dealers.figures(3, quiet=True)}
    assert found["3 dealers of 20 documents, first sync of all"].value > 0
    assert found["3 dealers: those changes into the market"].budget == 1.0
    assert found["3 dealers, 10 changes a minute each: a sync, p50"].value > 0


def test_bench_sync_of_a_whole_book_stands_beside_the_same_replicated_bare(monkeypatch):
    monkeypatch.setattr(first_sync, "_A_FILE_EVERY", 40)
    found = {figure.name: figure for figure in first_sync.figures(120, quiet=True)}
    for way in ("sent", "fetched"):
        ratio = found[f"first sync of 120 documents, {way}, over the same replicated bare"]
        assert ratio.budget == 1.3
        assert ratio.value > 0.5
        assert found[f"first sync of 120 documents, {way}, the same replicated bare"].value > 0
