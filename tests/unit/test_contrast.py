"""Words can be read on what is behind them, by day and by night: WCAG 2.1, success criterion 1.4.3."""

from __future__ import annotations

import re

import pytest

from app.project import ROOT

LEAST = 4.5
WORDS = {
    "ink ink-2 ink-3 link link-hover": "page surface surface-2 surface-3",
    "accent-ink": "accent accent-hover",
    "good": "good-soft surface",
    "warning": "warning-soft surface",
    "bad": "bad-soft surface",
    "info": "info-soft surface",
    "private": "private-soft surface",
    "bar-ink bar-ink-2": "bar-surface bar-field",
}


def colours() -> dict[str, dict[str, str]]:
    """The colours of ``tokens.css`` by day and by night, which says only what is different."""
    day, night = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8").split("@media screen", 1)
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text)) for name, text in (("day", day), ("night", night))
    }
    return {"day": found["day"], "night": {**found["day"], **found["night"]}}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("time", ["day", "night"])
def test_every_colour_of_words_stands_out_from_every_surface_it_is_used_on(time: str) -> None:
    known = colours()[time]
    faint = {}
    for words, surfaces in WORDS.items():
        for word in words.split():
            for surface in surfaces.split():
                dark, light = sorted((luminance(known[word]), luminance(known[surface])))
                ratio = (light + 0.05) / (dark + 0.05)
                if ratio < LEAST:
                    faint[f"{word} on {surface}"] = round(ratio, 2)
    assert faint == {}
