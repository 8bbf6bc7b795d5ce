"""Indexes are built before a page asks for them."""

from app.design.indexes import IndexKeeper, build_indexes
from app.documents import saving


def rows_without_updating(node):
    """How many customers the list knows without reading what has changed."""
    return node.book.view("list-customers", "rows", reduce=False, update="false").total_rows


def test_what_was_written_is_in_the_indexes_before_anybody_asks(dealer_node):
    keeper = IndexKeeper(dealer_node)
    keeper.build()
    assert rows_without_updating(dealer_node) == 0
    customer = {"type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Steinbruch Nord"}
    saving.save(dealer_node.book, customer, "tester")
    keeper.build()
    assert rows_without_updating(dealer_node) > 0


def test_every_design_document_with_views_has_its_index_built(dealer_node):
    designs = dealer_node.book.all_docs(startkey="_design/", endkey="_design0", include_docs=True).rows
    with_views = [row for row in designs if (row.doc or {}).get("views")]
    assert build_indexes(dealer_node.book) == len(with_views) > 5


def test_an_index_that_cannot_be_built_leaves_the_others_to_be_built(dealer_node):
    before = build_indexes(dealer_node.book)
    dealer_node.book.put({"_id": "_design/a-foreign-one", "language": "klingon", "views": {"all": {"map": "emit"}}})
    assert build_indexes(dealer_node.book) == before
