from app.replication.failures import failure
from app.replication.results import PassResult, Step, failures_ever, session_counts


def session(read: int, written: int, failed: int) -> dict[str, int]:
    return {"docs_read": read, "docs_written": written, "doc_write_failures": failed}


def result(*steps: Step, merged: int = 0) -> PassResult:
    return PassResult("manufacturer", "", "", steps, merged, 0, 0, None)


def test_the_first_session_counts_as_it_says() -> None:
    assert session_counts({"history": [session(7, 6, 1)]}) == (7, 6, 1)


def test_a_later_session_counts_what_it_added() -> None:
    assert session_counts({"history": [session(10, 8, 2), session(7, 6, 1)]}) == (3, 2, 1)


def test_a_session_with_nothing_to_do_counts_nothing_though_it_repeats_an_old_one() -> None:
    answer = {"no_changes": True, "history": [session(10, 8, 2), session(7, 6, 1)]}
    assert session_counts(answer) == (0, 0, 0)
    assert failures_ever(answer) == 2


def test_an_answer_without_a_history_counts_nothing() -> None:
    assert session_counts({"ok": True}) == (0, 0, 0)
    assert failures_ever({"ok": True}) == 0


def test_a_pass_is_quiet_only_when_nothing_was_read_written_refused_or_merged() -> None:
    assert result(Step("Pull the book", 0, 0, 0, 0.1)).quiet
    assert not result(Step("Pull the book", 1, 1, 0, 0.1)).quiet
    assert not result(Step("Push the book", 0, 0, 1, 0.1)).quiet
    assert not result(merged=1).quiet
    assert not PassResult("manufacturer", "", "", (), 0, 0, 0, failure("no_network", "http://hq")).quiet
