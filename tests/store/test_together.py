"""What hangs on a document is deleted along with it as told, and comes back with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.documents import saving
from app.documents.deletions import is_too_old, offered_since
from app.node import Node

ROOT = "D001:customer:1"


def add(node: Node, type: str, key: str, **fields: Any) -> dict[str, Any]:
    share = "dealer" if type == "keepsake" else "manufacturer"
    document = {"_id": f"D001:{type}:{key}", "type": type, "dealer": "D001", "share": share, **fields}
    return saving.save(node.book, document, "anna").document


def filled(node: Node, people: int = 3) -> tuple[dict[str, Any], list[str]]:
    root = add(node, "customer", "1", name="Berg")
    saved = [add(node, "person", str(n), name=f"Person {n}", customer=ROOT) for n in range(people)]
    return root, [each["_id"] for each in saved]


def living(node: Node, ids: list[str]) -> set[str]:
    return set(node.book.get_many([ROOT, *ids]))


def test_what_went_along_comes_back_as_it_was(dealer_node: Node) -> None:
    root, ids = filled(dealer_node)
    before = dealer_node.book.get_many([ROOT, *ids])
    gone = saving.delete_together(dealer_node.book, root, ids, "bert", now="2026-01-02T00:00:00Z")
    assert (gone.saved.outcome, gone.others, gone.failed) == ("deleted", 3, ())
    assert living(dealer_node, ids) == set()
    for id in ids:
        [leaf] = dealer_node.book.leaves(id)
        assert (leaf["deleted_by"], leaf["deleted_with"], leaf["share"]) == ("bert", ROOT, "manufacturer")

    back = saving.undelete_together(dealer_node.book, ROOT, "carl")
    assert (back.others, back.failed) == (3, ())
    after = dealer_node.book.get_many([ROOT, *ids])
    for id, document in before.items():
        kept = ("name", "customer", "created_at", "created_by", "share")
        assert {name: after[id].get(name) for name in kept} == {name: document.get(name) for name in kept}
        assert after[id]["updated_by"] == "carl"
    assert saving.undelete_together(dealer_node.book, ROOT, "carl").others == 0


def test_what_was_deleted_by_itself_does_not_come_back_with_another(dealer_node: Node) -> None:
    root, ids = filled(dealer_node)
    saving.delete(dealer_node.book, dealer_node.book.get(ids[0]) or {}, "bert")
    saving.delete_together(dealer_node.book, root, ids, "bert")
    # Brought back alone, and deleted anew for itself: that is a decision of its own.
    saving.undelete(dealer_node.book, ids[1], "carl")
    saving.delete(dealer_node.book, dealer_node.book.get(ids[1]) or {}, "carl")
    assert saving.undelete_together(dealer_node.book, ROOT, "carl").others == 1
    assert living(dealer_node, ids) == {ROOT, ids[2]}


def test_a_document_that_has_to_stay_keeps_what_hangs_on_it(dealer_node: Node) -> None:
    root, ids = filled(dealer_node)
    saving.save(dealer_node.book, {**root, "city": "Linz"}, "dora", base=root)
    gone = saving.delete_together(dealer_node.book, root, ids, "bert")
    assert (gone.saved.outcome, gone.others) == ("merged", 0)
    assert living(dealer_node, ids) == {ROOT, *ids}


def test_concurrent_versions_and_files_go_along_and_come_back(dealer_node: Node) -> None:
    root, ids = filled(dealer_node)
    dealer_node.book.put_attachment(dealer_node.book.get(ids[0]) or {}, "files/note.txt", b"tulips", "text/plain")
    rival = {**(dealer_node.book.get(ids[1]) or {}), "_rev": "1-" + "0" * 32, "name": "Rival"}
    dealer_node.book.bulk([{**rival, "_revisions": {"start": 1, "ids": ["0" * 32]}}], new_edits=False)
    assert saving.delete_together(dealer_node.book, root, ids, "bert").others == 3
    assert all(leaf.get("_deleted") for id in ids for leaf in dealer_node.book.leaves(id))
    assert saving.undelete_together(dealer_node.book, ROOT, "carl").others == 3
    assert dealer_node.book.attachment(ids[0], "files/note.txt")[0] == b"tulips"
    assert living(dealer_node, ids) == {ROOT, *ids}


def test_what_went_along_with_a_dispute_comes_back_with_it(dealer_node: Node) -> None:
    root, ids = filled(dealer_node, 1)
    shown = dealer_node.book.get(ids[0])
    assert shown is not None
    for name in ("Ann", "Anne"):
        saving.save(dealer_node.book, {**shown, "name": name}, "bert", base=shown)
    before = dealer_node.book.get(ids[0])
    assert before is not None and len(before["disputes"]) == 1

    saving.delete_together(dealer_node.book, root, ids, "bert")
    saving.undelete_together(dealer_node.book, ROOT, "carl")

    after = dealer_node.book.get(ids[0])
    assert after is not None and after["disputes"] == before["disputes"]


def test_many_go_along_and_come_back_in_batches_and_only_what_is_allowed(dealer_node: Node) -> None:
    root = add(dealer_node, "customer", "1", name="Berg")
    ids = [f"D001:task:{n:03}" for n in range(450)]
    tasks = [{"_id": id, "type": "task", "dealer": "D001", "share": "manufacturer", "title": id} for id in ids]
    saving.save_many(dealer_node.book, tasks, "anna")
    keepsake = add(dealer_node, "keepsake", "1", customer=ROOT, flowers="tulips")["_id"]
    assert saving.delete_together(dealer_node.book, root, [*ids, keepsake], "bert").others == 451
    back = saving.undelete_together(dealer_node.book, ROOT, "carl", allowed=lambda type: type != "keepsake")
    assert back.others == 450
    assert living(dealer_node, [*ids, keepsake]) == {ROOT, *ids}


def test_what_was_deleted_is_offered_for_ninety_days() -> None:
    now = datetime(2026, 11, 25, 10, tzinfo=UTC)
    assert offered_since(now) == "2026-08-27T10:00:00Z"
    old, new = {"_deleted": True, "deleted_at": "2026-08-27T09:59:59Z"}, {"_deleted": True, "deleted_at": "2036-01-01"}
    assert is_too_old([old], now)
    assert not is_too_old([{**old, "deleted_at": "1999-01-01T00:00:00Z", "created_at": "2026-11-01T00:00:00Z"}], now)
    for others in ([new], [{"_deleted": True}], [{"name": "living"}]):
        assert not is_too_old([old, *others], now)
