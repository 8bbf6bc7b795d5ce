import pytest

from app.replication.watching import _is_ours

UPSTREAM = {"url": "https://hq.example:6984/book-d001", "auth": {"basic": {"username": "dealer-d001"}}}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("http://127.0.0.1:5984/book/", "https://hq.example:6984/book-d001/"),
        ("http://ironbook:*****@127.0.0.1:5984/book/", "https://dealer-d001:*****@hq.example:6984/book-d001/"),
        ("book", "https://hq.example:6984/book-d001/"),
    ],
)
def test_the_stores_words_for_our_replication_are_recognised(source: str, target: str) -> None:
    assert _is_ours({"type": "replication", "source": source, "target": target}, "book", UPSTREAM)


@pytest.mark.parametrize("source", ["http://127.0.0.1:5984/depot-book/", "depot-book"])
def test_a_replication_of_a_node_that_shares_its_store_is_recognised(source: str) -> None:
    task = {"type": "replication", "source": source, "target": "https://hq.example:6984/book-d001/"}
    assert _is_ours(task, "book", UPSTREAM, prefix="depot-")
    assert not _is_ours(task, "book", UPSTREAM, prefix="workshop-")


@pytest.mark.parametrize(
    "task",
    [
        {"type": "indexer", "source": "book", "target": "https://hq.example:6984/book-d001/"},
        {
            "type": "replication",
            "source": "https://hq.example:6984/book-d001/",
            "target": "http://127.0.0.1:5984/book/",
        },
        {
            "type": "replication",
            "source": "http://127.0.0.1:5984/book/",
            "target": "https://hq.example:6984/book-d002/",
        },
        {
            "type": "replication",
            "source": "http://127.0.0.1:5984/notebook/",
            "target": "https://hq.example:6984/book-d001/",
        },
        {"type": "replication"},
    ],
)
def test_another_task_is_not_ours(task: dict[str, str]) -> None:
    assert not _is_ours(task, "book", UPSTREAM)
