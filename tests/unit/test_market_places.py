"""Which squares of the map a window asks for."""

from __future__ import annotations

import time

import pytest

from app.market.places import Window, is_square, square_of, tiles

WORLD = Window(-85, -180, 85, 180)


@pytest.mark.parametrize("zoom", [0, 3, 12, 15])
def test_the_whole_world_is_never_more_than_forty_squares(zoom):
    found = tiles(WORLD, zoom)
    assert 1 <= len(found) <= 40
    assert len(set(found)) == len(found)


def test_a_large_window_at_the_deepest_zoom_costs_no_more_than_a_small_one():
    started = time.process_time()
    tiles(Window(-1e300, -1e300, 1e300, 1e300), 15)
    assert time.process_time() - started < 0.1


def test_a_small_window_is_asked_for_in_small_squares():
    found = tiles(Window(50.0, 8.6, 50.2, 8.8), 9)
    assert {len(square) for square in found} == {9}
    assert len(found) <= 4


@pytest.mark.parametrize("window", [Window(-20, 170, -10, 190), Window(-20, 170, -10, -170)])
def test_a_window_across_the_date_line_has_both_sides(window):
    columns = {square_of(column, 8, 4) for column in (15, 0)}
    assert columns <= set(tiles(window, 4))


def test_squares_are_digits_of_the_quarters_from_the_north_west():
    assert square_of(0, 0, 2) == "00"
    assert square_of(3, 0, 2) == "11"
    assert square_of(2, 1, 2) == "12"
    assert is_square("0123")
    assert not is_square("4")
