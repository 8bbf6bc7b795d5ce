"""What `ironbook bench` prints, and what it says of a process."""

import io
import json
import os

import pytest

from bench import figures
from bench.figures import figure, percentile
from bench.processes import processor_seconds, proportional_megabytes, resident_megabytes


def test_a_missed_budget_makes_the_exit_code_one(capsys):
    met, missed = figure("pages", "home", 20.0, "ms", 50.0), figure("pages", "list", 120.0, "ms", 100.0)
    assert figures.show([met], as_json=False) == 0
    assert "met" in capsys.readouterr().out
    assert figures.show([met, missed], as_json=False) == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_figure_without_a_budget_is_never_missed():
    assert figure("pages", "documents", 1e9, "ms").met


def test_a_share_has_to_reach_its_budget_from_below():
    assert figure("sync", "share", 91.0, "%", 90.0, least=True).met
    assert not figure("sync", "share", 89.0, "%", 90.0, least=True).met


def test_json_is_a_line_a_figure_with_every_field():
    written = io.StringIO()
    figures.print_json([figure("pages", "home", 20.5, "ms", 50.0)], written)
    assert json.loads(written.getvalue()) == {
        "bench": "pages",
        "name": "home",
        "value": 20.5,
        "unit": "ms",
        "budget": 50.0,
        "met": True,
    }


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share, expected):
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_memory_and_processor_time_of_this_process_are_said():
    resident = resident_megabytes(os.getpid())
    assert 10 < resident < 10_000
    shared_once = proportional_megabytes(os.getpid())
    assert shared_once is None or 5 < shared_once <= resident
    before = processor_seconds(os.getpid())
    sum(number * number for number in range(300_000))
    after = processor_seconds(os.getpid())
    assert before is None or (after is not None and after >= before > 0)
