"""What a dealer's replication user may write, asked of the very functions that the stores run."""

import json
from typing import Any

import pytest
import quickjs

from app.project import ROOT

DEALER = {"name": "dealer-d001", "roles": ["dealer", "dealer:D001"]}
ADMIN = {"name": "ironbook", "roles": ["_admin"]}


def reason(rules: str, new: dict[str, Any], old: dict[str, Any] | None = None, user: dict[str, Any] = DEALER) -> str:
    """Why the rules refuse the document; empty when they let it in."""
    source = (ROOT / "design_docs" / rules / "validate_doc_update.js").read_text(encoding="utf-8")
    context = quickjs.Context()
    context.eval(f"var rule = ({source}\n);")
    arguments = ", ".join(json.dumps(value) for value in (new, old, user, {}))
    answer = context.eval(
        f"(function () {{ try {{ rule({arguments}); return ''; }}"
        " catch (e) { return e.forbidden || String(e); } })()"
    )
    assert isinstance(answer, str)
    return answer


def machine(**changes: Any) -> dict[str, Any]:
    return {
        "_id": "D001:machine:CAT-123",
        "type": "machine",
        "dealer": "D001",
        "share": "manufacturer",
        "created_at": "2026-11-25T08:00:00Z",
        "created_by": "sara",
        "updated_at": "2026-11-25T08:00:00Z",
        "updated_by": "sara",
        "field_revs": {"*": 1},
        **changes,
    }


def deletion(**changes: Any) -> dict[str, Any]:
    return {
        "_id": "D001:machine:CAT-123",
        "_deleted": True,
        "type": "machine",
        "dealer": "D001",
        "share": "manufacturer",
        "deleted_by": "sara",
        "deleted_at": "2026-11-25T09:00:00Z",
        **changes,
    }


def test_a_dealer_writes_and_deletes_its_own_documents() -> None:
    assert reason("access", machine()) == ""
    assert reason("access", machine(updated_by="tom"), machine()) == ""
    assert reason("access", deletion(), machine()) == ""
    assert reason("access", machine(), deletion()) == ""
    dispute = {"id": "d1", "field": "name", "value": None, "by": "", "at": ""}
    disputed = machine(disputes=[dispute, {**dispute, "row": "r1"}], resolved=["d2"])
    assert reason("access", disputed, machine()) == ""


@pytest.mark.parametrize(
    ("document", "word"),
    [
        (machine(_id="D002:machine:CAT-123", dealer="D002"), "D002"),
        (machine(_id="machine:CAT-123"), "named"),
        (machine(_id="D001:machine:"), "named"),
        (machine(_id="_design/own"), "administrator"),
        (machine(dealer="D002"), "dealer"),
        (machine(type="customer"), "type"),
        (machine(share="everybody"), "share"),
        (machine(created_at=None), "created"),
        (machine(created_by=7), "who"),
        (machine(field_revs=None), "field_revs"),
        (machine(created_at="yesterday"), "created"),
        (machine(updated_at=20261125), "updated"),
        (machine(field_revs=[1]), "field_revs"),
        (machine(field_revs={"*": 1, "name": "1"}), "field_revs"),
        (machine(disputes="name"), "disputes"),
        (machine(disputes=["name"]), "disputes"),
        (machine(disputes=[{"field": "name", "value": 1}]), "disputes"),
        (machine(resolved={"d1": True}), "resolved"),
        (machine(resolved=[7]), "resolved"),
        (deletion(deleted_by=""), "deleted_by"),
        ({"_id": "D001:machine:CAT-123", "_deleted": True}, "type"),
    ],
)
def test_a_malformed_document_is_refused_with_what_is_wrong(document: dict[str, Any], word: str) -> None:
    assert word in reason("access", document)


@pytest.mark.parametrize("change", [{"share": "dealer"}, {"created_by": "zoe"}])
def test_share_and_creator_never_change(change: dict[str, Any]) -> None:
    assert "never changes" in reason("access", machine(**change), machine())


def test_the_merge_of_two_first_entries_keeps_who_was_first() -> None:
    earlier = machine(created_by="tom", created_at="2026-11-24T08:00:00Z")
    assert reason("access", earlier, machine()) == ""
    assert "never changes" in reason("access", machine(), earlier)


def test_a_deletion_does_not_change_what_is_shared() -> None:
    assert "never changes" in reason("access", deletion(share="dealer"), machine())


def test_what_is_private_to_the_dealership_is_refused_at_the_manufacturer() -> None:
    assert "dealership" in reason("shared-only", machine(share="dealer"))
    assert "dealership" in reason("shared-only", deletion(share="dealer"))
    assert reason("shared-only", machine()) == ""


def test_a_dealer_does_not_write_the_catalog() -> None:
    assert "manufacturer" in reason("catalog-access", {"_id": "model:X", "type": "model"})


def test_what_is_private_is_refused_from_an_administrators_connection_too_but_may_be_deleted_by_one() -> None:
    assert "dealership" in reason("shared-only", machine(share="dealer"), None, ADMIN)
    assert reason("shared-only", deletion(share="dealer"), None, ADMIN) == ""
    assert "dealership" in reason("shared-only", {"_id": "D001:note:1", "type": "note"}, None, ADMIN)
    assert reason("shared-only", machine(), None, ADMIN) == ""
    assert reason("shared-only", {"_id": "_design/list-machines"}, None, ADMIN) == ""


@pytest.mark.parametrize("rules", ["access", "catalog-access"])
def test_an_administrator_of_the_server_is_not_asked(rules: str) -> None:
    assert reason(rules, {"_id": "anything", "share": "dealer"}, None, ADMIN) == ""
