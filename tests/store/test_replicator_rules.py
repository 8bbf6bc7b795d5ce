"""The rules of replication that need no store: ids, checkpoints, which attachments travel."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from embedded.replicator import attachments, checkpoints, transfer
from embedded.replicator.checkpoints import Counts, Start
from embedded.replicator.request import Replication, parse_replication

OWN = "http://127.0.0.1:5984"
NOW = datetime.datetime(2026, 11, 25, 10, 0, tzinfo=datetime.UTC)


def _parsed(**body: Any) -> Replication:
    return parse_replication({"source": "a", "target": "http://host/b", **body}, OWN)


def test_the_same_replication_has_the_same_checkpoint_whatever_its_credentials() -> None:
    with_url = _parsed(target="http://ann:secret@HOST/b/")
    with_auth = _parsed(target={"url": "http://host/b", "auth": {"basic": {"username": "ann", "password": "two"}}})
    with_header = _parsed(target={"url": "http://host/b", "headers": {"Authorization": "Basic YW5uOnNlY3JldA=="}})

    assert {one.checkpoint_id("s") for one in (_parsed(), with_url, with_auth, with_header)} == {
        _parsed().checkpoint_id("s")
    }
    assert with_url.target.user == with_header.target.user == "ann"
    assert "secret" not in repr(with_url)


def test_what_changes_what_replicates_changes_the_checkpoint() -> None:
    different = [
        _parsed(),
        _parsed(source="c"),
        _parsed(target="http://host/c"),
        _parsed(target="https://host/b"),
        _parsed(target="http://host:81/b"),
        _parsed(selector={"a": 1}),
        _parsed(selector={"a": 2}),
        _parsed(doc_ids=["a"]),
        _parsed(filter="f/x"),
        _parsed(filter="f/x", query_params={"a": 1}),
        _parsed(filter="f/x").with_filter_code("function () {}"),
        _parsed(winning_revs_only=True),
    ]
    ids = {one.checkpoint_id("s") for one in different}

    assert len(ids) == len(different)
    assert _parsed().checkpoint_id("another store") not in ids


def test_order_and_repetition_of_document_ids_do_not_matter() -> None:
    assert _parsed(doc_ids=["b", "a", "b"]).checkpoint_id("s") == _parsed(doc_ids=["a", "b"]).checkpoint_id("s")


def test_one_shot_and_continuous_share_a_checkpoint_but_are_two_jobs() -> None:
    once, always = _parsed(), _parsed(continuous=True)

    assert once.checkpoint_id("s") == always.checkpoint_id("s")
    assert always.job_id("s") == once.job_id("s") + "+continuous"


def test_a_url_of_this_store_is_the_database_itself_on_whatever_port_it_listens() -> None:
    before = parse_replication({"source": "http://localhost:5984/a", "target": "http://h/b"}, OWN)
    after = parse_replication({"source": "http://127.0.0.1:9999/a", "target": "http://h/b"}, "http://127.0.0.1:9999")

    assert before.source.database == after.source.database == "a"
    assert not before.source.as_caller, "credentials in a URL are its own"
    assert before.checkpoint_id("s") == after.checkpoint_id("s")
    assert before.target.database is None


def _checkpoint(*sessions: tuple[str, int], current: str | None = None) -> dict[str, Any]:
    history = [{"session_id": id, "recorded_seq": seq, "docs_read": seq} for id, seq in sessions]
    return {"session_id": current or sessions[0][0], "source_last_seq": sessions[0][1], "history": history}


def test_equal_checkpoints_say_where_to_go_on() -> None:
    both = _checkpoint(("s2", 20), ("s1", 10))

    start = checkpoints.starting_point(both, both)

    assert start.since == 20
    assert start.counts().docs_read == 20


def test_a_side_restored_from_a_backup_goes_back_to_what_both_remember() -> None:
    newer, older = _checkpoint(("s3", 30), ("s2", 20), ("s1", 10)), _checkpoint(("s2", 20), ("s1", 10))

    assert checkpoints.starting_point(newer, older).since == 20
    assert checkpoints.starting_point(older, newer).since == 20
    assert checkpoints.starting_point(newer, _checkpoint(("x", 5), ("s1", 10))).since == 10
    assert checkpoints.starting_point(newer, older).counts().docs_read == 20


def test_a_side_restored_from_a_backup_made_during_a_session_goes_back_to_what_both_hold() -> None:
    """The session is the same on both sides, but one of them recorded less of it: a backup, or a copied replica."""
    whole, part = _checkpoint(("s2", "30-x"), ("s1", "10-x")), _checkpoint(("s2", "20-x"), ("s1", "10-x"))
    later = _checkpoint(("s3", "40-x"), ("s2", "30-x"), ("s1", "10-x"))

    assert checkpoints.starting_point(whole, part).since == "20-x"
    assert checkpoints.starting_point(part, whole).since == "20-x"
    assert checkpoints.starting_point(later, part).since == "20-x"
    assert checkpoints.starting_point(part, later).since == "20-x"


def test_sequences_that_nobody_can_order_lead_back_to_an_older_session() -> None:
    one, other = _checkpoint(("s2", "g1AAA"), ("s1", "10-x")), _checkpoint(("s2", "g1BBB"), ("s1", "10-x"))

    assert checkpoints.starting_point(one, other).since == "10-x"


def test_sides_that_share_nothing_start_at_the_beginning() -> None:
    one = _checkpoint(("s1", 10))

    for other in (None, {}, _checkpoint(("x", 10)), {"session_id": "y", "history": 5}, {"history": [5, {}]}):
        assert checkpoints.starting_point(one, other) == Start()
        assert checkpoints.starting_point(other, one) == Start()


def test_a_long_session_keeps_one_entry_and_counts_go_on_from_the_last_one() -> None:
    session = checkpoints.Session("s2", NOW, Start(10, [{"session_id": "s1", "recorded_seq": 10, "docs_read": 7}]))
    counts = session.start.counts()
    counts.add(Counts(docs_read=3, docs_written=2, doc_write_failures=1))

    first = checkpoints.record(session, NOW, 15, counts)
    counts.add(Counts(docs_read=1))
    second = checkpoints.record(session, NOW, 20, counts)

    assert [entry["session_id"] for entry in second["history"]] == ["s2", "s1"]
    assert [entry["docs_read"] for entry in second["history"]] == [11, 7]
    assert first["history"][0]["docs_read"] == 10
    assert second["source_last_seq"] == second["history"][0]["recorded_seq"] == 20
    assert second["history"][0]["start_time"] == "Wed, 25 Nov 2026 10:00:00 GMT"


def test_the_history_does_not_grow_for_ever() -> None:
    long = [{"session_id": f"s{n}", "recorded_seq": n} for n in range(200)]

    assert len(checkpoints.record(checkpoints.Session("new", NOW, Start(1, long)), NOW, 2, Counts())["history"]) == 50


DOCUMENT = {
    "_id": "a",
    "_rev": "3-c",
    "_revisions": {"start": 3, "ids": ["c", "b", "a"]},
    "_attachments": {
        "old": {"revpos": 1, "length": 10, "content_type": "text/plain", "stub": True},
        "new": {"revpos": 3, "length": 20, "content_type": "text/plain", "stub": True},
    },
}


def test_only_attachments_newer_than_what_the_target_has_travel() -> None:
    assert attachments.unknown_attachments(DOCUMENT, []) == {"old", "new"}
    assert attachments.unknown_attachments(DOCUMENT, ["2-b"]) == {"new"}
    assert attachments.unknown_attachments(DOCUMENT, ["2-other", "9-x"]) == {"old", "new"}
    assert attachments.unknown_attachments(DOCUMENT, ["3-c"]) == set()


def test_a_multipart_body_has_the_document_and_then_each_content_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"\r\n--content")

    body = attachments.multipart(DOCUMENT, {"new": tmp_path / "new"})

    text = b"".join(part if isinstance(part, bytes) else part.read_bytes() for part in body.parts)
    boundary = body.content_type.partition('boundary="')[2].rstrip('"').encode()
    first, second, end = text.split(b"--" + boundary)[1:]
    assert first.startswith(b"\r\nContent-Type: application/json\r\n\r\n{")
    assert b'"new":{"content_type":"text/plain","revpos":3,"follows":true,"length":11}' in first
    assert b'"old":{"content_type":"text/plain","revpos":1,"length":10,"stub":true}' in first
    assert second.endswith(b"\r\n\r\n\r\n--content\r\n")
    assert end == b"--"


def test_a_slow_line_gets_small_batches_and_a_fast_one_large_ones() -> None:
    assert transfer.fitting_size(100, 0.1, 500) == 400
    assert transfer.fitting_size(400, 0.1, 500) == 500
    assert transfer.fitting_size(100, 3.0, 500) == 100
    assert transfer.fitting_size(100, 50.0, 500) == 10
    assert transfer.fitting_size(1, 900.0, 500) == 1
    assert transfer.fitting_size(100, 3.0, 7) == 7
