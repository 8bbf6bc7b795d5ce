"""Long answers are sent a piece at a time."""

from app.web.pieces import in_pieces


def test_nothing_is_lost_and_pieces_are_neither_words_nor_the_whole():
    words = [f"word {number} " for number in range(20_000)]
    pieces = list(in_pieces(iter(words)))
    assert "".join(pieces) == "".join(words)
    assert 3 < len(pieces) < 20
    assert max(map(len, pieces)) < 40_000


def test_a_short_answer_is_one_piece():
    assert list(in_pieces(["a", "b"])) == ["ab"]
