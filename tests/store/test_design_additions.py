"""A consultant's forms and views: put into force from files, for one dealer or for all, and taken out again."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import design
from app.commands.design import command
from app.design.additions import definitions, put, read_definition, remove
from app.design.fields import DesignError
from app.design.project import form_tables, view_tables
from app.design.toml_text import toml_text
from app.documents import saving
from app.node import Node

GRADES = """
label = "Customers by grade"
type = "customer"
category = ["grade"]
sort = ["name"]
columns = [{field = "grade"}, {field = "name"}]
"""
GRADE = '  {name = "grade", label = "Grade", type = "choice", choices = ["A", "B"]},\n'
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path / f"{name}.toml"

    return write


def with_grade(form: str = "customer") -> str:
    """The project's form as a consultant would write it: its text, with one more field."""
    text = toml_text(form_tables()[form])
    return text.replace("fields = [\n", f"fields = [\n{GRADE}", 1)


@pytest.mark.parametrize("name", [*form_tables(), *view_tables()])
def test_what_is_shown_of_a_definition_is_the_file_it_came_from(name: str) -> None:
    for tables in (form_tables(), view_tables()):
        if name in tables:
            assert {"name": name, **tomllib.loads(toml_text(tables[name]))} == tables[name]


def test_a_text_with_every_kind_of_character_comes_back_from_its_file() -> None:
    table = {"label": '“Straße” \\ " \t\n\x7f\x00 ✓', "x y": [1, 1.5, True, {"a b": []}]}

    assert tomllib.loads(toml_text(table)) == table


def test_a_dealer_gets_a_field_and_a_list_of_its_own_without_code(dealer_node: Node, write: Write) -> None:
    for path in (write("customer", with_grade()), write("grades", GRADES)):
        assert put(dealer_node, dealer_node.book, "D001", read_definition(path), "ironbook design") == "created"
    customer = design.new_document(dealer_node.forms()["customer"], "D001", name="Kies", grade="A")
    saving.save(dealer_node.book, customer, "anna")

    grades = design.page(dealer_node.book, dealer_node.views()["grades"])
    assert [row.cells["grade"] for row in grades.rows] == ["A"]
    assert dealer_node.forms()["customer"].by_name["grade"].choices == (("A", "A"), ("B", "B"))
    own = definitions(dealer_node, "D001", dealer_node.book)
    assert [title for title, (_, origin) in own.items() if origin == "D001"] == ["form:customer", "view:grades"]


def test_putting_the_same_file_again_writes_nothing_and_a_changed_one_replaces_all_of_it(
    dealer_node: Node, write: Write
) -> None:
    book = dealer_node.book
    put(dealer_node, book, "D001", read_definition(write("grades", f'about = "Old words"\n{GRADES}')), "x")
    before = book.info()["update_seq"]

    def again(text: str) -> str:
        return put(dealer_node, book, "D001", read_definition(write("grades", text)), "x")

    assert again(f'about = "Old words"\n{GRADES}') == "unchanged"
    assert [row.id for row in book.all_docs(startkey="D001:", endkey="D001;").rows if ":view:" in row.id]
    assert again(GRADES) == "changed"
    assert dealer_node.views()["grades"].about == ""
    assert book.info()["update_seq"] != before


def test_a_removed_definition_makes_way_for_the_one_it_had_replaced(dealer_node: Node, write: Write) -> None:
    for path in (write("customer", with_grade()), write("grades", GRADES)):
        put(dealer_node, dealer_node.book, "D001", read_definition(path), "x")

    said = [remove(dealer_node, dealer_node.book, "D001", title, "x") for title in ("form:customer", "view:grades")]

    assert "what it was before" in said[0] and "no more" in said[1]
    assert "grade" not in dealer_node.forms()["customer"].by_name
    assert "grades" not in dealer_node.views()
    with pytest.raises(DesignError, match="There is no view:grades"):
        remove(dealer_node, dealer_node.book, "D001", "view:grades", "x")
    assert put(dealer_node, dealer_node.book, "D001", read_definition(write("grades", GRADES)), "x") == "created"


def test_head_office_gives_all_dealers_a_field_and_can_take_it_back(manufacturer_node: Node, write: Write) -> None:
    catalog = manufacturer_node.catalog
    assert put(manufacturer_node, catalog, "", read_definition(write("customer", with_grade())), "x") == "changed"
    assert definitions(manufacturer_node)["form:customer"][1] == "catalog"

    # A start installs the project's files again; what a consultant made of one is not among them.
    from app.design.installing import install

    install(manufacturer_node)
    assert "grade" in manufacturer_node.forms()["customer"].by_name

    remove(manufacturer_node, catalog, "", "form:customer", "x")
    assert "grade" not in manufacturer_node.forms()["customer"].by_name
    assert definitions(manufacturer_node)["form:customer"][1] == ""
    with pytest.raises(DesignError, match="nobody has changed it"):
        remove(manufacturer_node, catalog, "", "form:customer", "x")


def test_a_view_whose_formula_cannot_run_is_refused_and_nothing_is_left_of_it(dealer_node: Node, write: Write) -> None:
    broken = read_definition(write("grades", f'formula = "doc.name (("\n{GRADES}'))
    before = {row.id for row in dealer_node.book.all_docs().rows}

    with pytest.raises(DesignError, match=r"The view grades cannot work: .*Nothing was changed\."):
        put(dealer_node, dealer_node.book, "D001", broken, "x")

    assert {row.id for row in dealer_node.book.all_docs().rows} == before


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("customer", "label = ", "customer.toml cannot be read"),
        ("customer", 'label = "x"', "neither a form's sections nor a view's columns"),
        ("customer", 'share = "dealer"\n[[sections]]\nfields = [{name = "name"}]', "leaves out the field number"),
        ("Grades!", GRADES, "small letters, digits and dashes"),
        ("grades", GRADES.replace("columns", "colums"), "neither a form's sections"),
        ("grades", GRADES.replace('["name"]', '["city"]'), "sort names 'city'"),
        (
            "customer",
            toml_text(form_tables()["customer"]).replace('"number", label = "Customer number", type = "text"',
                                                         '"number", label = "Customer number", type = "number"'),
            "the field number is of the type 'text' and has to stay so",
        ),
        (
            "keepsake",
            toml_text(form_tables()["keepsake"]).replace('share = "dealer"', 'share = "manufacturer"'),
            "stays in the dealership",
        ),
        ("keepsake", toml_text(form_tables()["keepsake"]).replace('parent = "person"', ""), "database, parent"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_work_is_refused_with_its_name_and_the_place(
    write: Write, name: str, text: str, said: str
) -> None:
    with pytest.raises(DesignError, match=said) as refused:
        read_definition(write(name, text))
    assert str(refused.value).startswith(f"{name}.toml")


def test_the_commands_show_change_put_and_remove(
    dealer_node: Node, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    @contextmanager
    def opened(_data: Path | None):  # type: ignore[no-untyped-def]
        yield dealer_node

    monkeypatch.setattr("app.commands.design.opened", opened)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    shown = run("show", "form:customer")
    path = write("customer", shown.replace("fields = [\n", f"fields = [\n{GRADE}", 1))
    assert run("put", str(path)) == "form:customer is in force for dealer D001.\n"
    assert run("put", str(path)) == "form:customer is as it was.\n"
    assert [line.split()[-2:] for line in run("list").splitlines() if "form:customer " in line] == [["dealer", "D001"]]
    assert "what it was before" in run("remove", "form:customer")
    assert run("show", "form:customer") == shown

    refused = CliRunner().invoke(command, ["list", "--dealer", "D002"])
    assert (refused.exit_code, "leave --dealer out" in refused.output) == (2, True)
