"""Installing forms, views and design documents on nodes, and which of them are in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import design
from app.couch import Database, Store
from app.design import checking, inforce, installing
from app.design.fields import DesignError
from app.design.handwritten import read_design_documents
from app.design.installing import install, install_design
from app.documents import saving
from app.documents.ids import document_id
from app.node import Node

MAP = "function (doc) { emit(doc.name, null); }"
OTHER = "function (doc) { emit(doc.city, null); }"


def body(map_function: str) -> dict[str, Any]:
    return {"language": "javascript", "views": {"v": {"map": map_function}}}


def designs(database: Database) -> dict[str, str]:
    rows = database.all_docs(startkey="_design/", endkey="_design0").rows
    return {str(row.id).removeprefix("_design/"): row.value["rev"] for row in rows}


def test_a_changed_design_document_takes_its_name_when_its_index_is_built(database: Database) -> None:
    database.bulk({"_id": str(number), "name": "Kies", "city": "Ulm"} for number in range(200))
    assert install_design(database, {"d": body(MAP)}) == ["d"]

    assert install_design(database, {"d": body(OTHER)}) == ["d"]

    assert set(designs(database)) == {"d"}
    rows = database.view("d", "v", update="false").rows
    assert [row.key for row in rows] == ["Ulm"] * 200, "the index was there before anybody asked"


def test_what_is_installed_already_is_not_written(database: Database) -> None:
    install_design(database, {"d": body(MAP)})
    before = database.info()["update_seq"]

    assert install_design(database, {"d": body(MAP)}) == []
    assert database.info()["update_seq"] == before


def test_lists_that_are_gone_are_removed_and_what_others_installed_stays(database: Database) -> None:
    install_design(database, {"list-old": body(MAP), "d": body(MAP)})
    database.put({"_id": "_design/of-somebody-else", "views": {}})
    database.put({"_id": "_design/new-d", **body(OTHER)})
    database.put({"_id": "a"})

    install_design(database, {"d": body(OTHER), "list-new": body(MAP)})

    assert set(designs(database)) == {"d", "list-new", "of-somebody-else"}


def test_a_view_over_a_partitioned_database_is_over_all_of_it(store: Store) -> None:
    market = store.create("market", partitioned=True)
    market.bulk([{"_id": "D001:customer:a", "name": "Kies"}, {"_id": "D002:customer:b", "name": "Sand"}])

    install_design(market, {"d": body(MAP)})
    before = market.info()["update_seq"]

    assert [row.key for row in market.view("d", "v").rows] == ["Kies", "Sand"]
    assert install_design(market, {"d": body(MAP)}) == [] and market.info()["update_seq"] == before


def test_a_node_is_ready_with_forms_lists_and_design_documents(dealer_node: Node) -> None:
    assert {"customer", "machine", "keepsake", "model"} <= dealer_node.forms().keys()
    assert {"customers", "opportunities"} <= dealer_node.views().keys()
    assert {"list-customers", "customers", "readings", "unique"} <= designs(dealer_node.book).keys()
    assert "list-parts" in designs(dealer_node.catalog) and "list-customers" not in designs(dealer_node.catalog)
    assert dealer_node.catalog.all_docs(startkey="form:", endkey="form;").rows == [], "a pulled catalog is not written"
    assert design.page(dealer_node.book, dealer_node.views()["customers"]).rows == []


def test_the_manufacturer_has_forms_and_views_in_the_catalog(manufacturer_node: Node) -> None:
    form = manufacturer_node.catalog.get("form:customer")

    assert form is not None and (form["type"], form["of_share"], form["created_by"]) == (
        "form", "manufacturer", installing.INSTALLER,
    )  # fmt: skip
    assert design.page(manufacturer_node.catalog, manufacturer_node.views()["views"]).total_rows == len(
        manufacturer_node.views()
    )


def test_installing_again_writes_nothing(dealer_node: Node, manufacturer_node: Node) -> None:
    for node in (dealer_node, manufacturer_node):
        before = {name: node.store.database(name).info()["update_seq"] for name in node.store.names()}
        install(node)
        assert {name: node.store.database(name).info()["update_seq"] for name in node.store.names()} == before


def test_what_a_consultant_changed_in_the_catalog_stays(
    manufacturer_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = manufacturer_node.catalog.get("form:customer")
    assert form is not None
    saving.save(manufacturer_node.catalog, {**form, "label": "Client"}, "consultant")
    newer = dict(installing.form_tables())
    newer["customer"] = {**newer["customer"], "plural": "Clients"}
    newer["person"] = {**newer["person"], "label": "Contact"}
    for module in (installing, inforce):
        monkeypatch.setattr(module, "form_tables", lambda: newer)

    install(manufacturer_node)

    forms = manufacturer_node.forms()
    assert (forms["customer"].label, forms["customer"].plural) == ("Client", "Customers")
    assert forms["person"].label == "Contact", "what nobody changed follows the project"


def test_a_dealers_own_form_and_view_override_by_name_and_install_their_list(dealer_node: Node) -> None:
    form = {
        "_id": document_id("D001", "form", "customer"), "type": "form", "dealer": "D001", "share": "dealer",
        "of_share": "manufacturer", "title": "{name}",
        "sections": [{"label": "All", "fields": [{"name": "name"}, {"name": "grade"}]}],
    }  # fmt: skip
    view = {
        "_id": document_id("D001", "view", "grades"), "type": "view", "dealer": "D001", "share": "dealer",
        "of_type": "customer", "sort": ["grade"], "columns": [{"field": "grade"}],
    }  # fmt: skip
    saving.save_many(dealer_node.book, [form, view], "consultant")
    saving.save(dealer_node.book, {"type": "customer", "dealer": "D001", "share": "manufacturer", "grade": "A"}, "anna")
    design.refresh(dealer_node)

    assert dealer_node.forms()["customer"].by_name.keys() == {"name", "grade"}
    grades = design.page(dealer_node.book, dealer_node.views()["grades"])
    assert [row.cells for row in grades.rows] == [{"grade": "A"}]


def test_a_wrong_form_in_the_book_does_not_stop_the_node(dealer_node: Node) -> None:
    wrong = {"type": "form", "dealer": "D001", "share": "dealer", "sections": "none"}
    dealer_node.book.put({"_id": "D001:form:customer", **wrong})
    dealer_node.book.put({"_id": "D001:form:nonsense", **wrong})
    design.refresh(dealer_node)

    assert "name" in dealer_node.forms()["customer"].by_name
    assert "nonsense" not in dealer_node.forms()


def test_forms_are_read_once_while_nothing_changes(dealer_node: Node) -> None:
    assert design.forms(dealer_node) is design.forms(dealer_node)
    design.refresh(dealer_node)
    first = design.forms(dealer_node)
    design.refresh(dealer_node)
    assert design.forms(dealer_node) is first


def test_a_value_that_must_be_unique_is_found_taken_whatever_its_case(dealer_node: Node) -> None:
    form = dealer_node.forms()["customer"]
    new = {"type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Kies"}
    kies = saving.save(dealer_node.book, {**new, "number": "K-1"}, "anna").document

    assert checking.check_unique(form, {"number": "k-1"}, dealer_node.book) == {
        "number": "Customer number “k-1” belongs to another customer already."
    }
    assert checking.check_unique(form, {"number": "k-1"}, dealer_node.book, kies["_id"]) == {}
    assert checking.check_unique(form, {"number": "K-2", "name": "Kies"}, dealer_node.book) == {}


def test_a_reference_to_nothing_is_found(dealer_node: Node) -> None:
    new = {"type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Kies"}
    kies = saving.save(dealer_node.book, new, "anna").document["_id"]
    service = dealer_node.forms()["service"]
    lines = [{"id": "a", "part": "part:X"}, {"id": "b", "quantity": 1}]

    def database_of(type: str) -> Database:
        return dealer_node.catalog if type in ("part", "bulletin") else dealer_node.book

    errors = checking.check_references(
        service, {"customer": kies, "machine": "D001:machine:CAT-9", "lines": lines}, database_of
    )

    assert errors == {
        "machine": "Machine names a machine that is not there (any more): choose one from the list.",
        "lines.a.part": "Part names a part that is not there (any more): choose one from the list.",
    }


def test_every_handwritten_design_document_runs_without_an_error_on_any_node(make_node: Callable[..., Node]) -> None:
    dealer, manufacturer = make_node("dealer"), make_node("manufacturer")
    answered = set()
    for node in (dealer, manufacturer):
        for name in node.store.names():
            database = node.store.database(name)
            for document in read_design_documents().values():
                if document.belongs_in(name):
                    for view in document.body.get("views", {}):
                        database.view(document.name, view, limit=1)
                        answered.add((document.name, view))
    assert answered == {
        (document.name, view)
        for document in read_design_documents().values()
        for view in document.body.get("views", {})
    }


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"views/v/map.js": MAP}, "no design.toml"),
        ({"design.toml": "databases = ['nowhere']", "views/v/map.js": MAP}, "databases"),
        ({"design.toml": "databases = ", "views/v/map.js": MAP}, "cannot be read"),
        ({"design.toml": "databases = ['book']"}, "neither views"),
        ({"design.toml": "databases = ['book']", "views/v/reduce.js": "_sum"}, "no map.js"),
        ({"design.toml": "databases = ['book']", "views/v/map.js": "emit(1)"}, "not one function"),
    ],
)
def test_a_wrong_folder_of_a_design_document_is_named(tmp_path: Any, files: dict[str, str], words: str) -> None:
    for name, text in files.items():
        path = tmp_path / "wrong" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DesignError, match="wrong") as problem:
        read_design_documents(tmp_path)
    assert words in str(problem.value)
