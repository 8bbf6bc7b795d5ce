"""What pages are dressed with: all of it is here, and all that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.project import ROOT
from app.web import frame

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
VENDOR = ROOT / "static" / "vendor"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_nothing_is_fetched_from_any_network() -> None:
    for path in [*TEMPLATES, *STYLES]:
        assert not re.search(r"""(?:src|href|action|url\()\s*=?\s*["']?(?:https?:)?//""", text(path)), path
        assert "@import" not in text(path), path


def test_no_template_holds_what_the_content_security_policy_refuses() -> None:
    for path in TEMPLATES:
        source = re.sub(r"\{#.*?#\}", "", text(path), flags=re.S)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=[\"']|hx-on|javascript:", source), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", source), path


def test_every_form_that_changes_something_carries_the_sessions_token() -> None:
    for path in TEMPLATES:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text(path), flags=re.S):
            assert "token()" in form or "csrf_token" in form, (path, form[:120])


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', text(ROOT / "static" / "icons.svg")))
    named = {entry.icon for entries in frame.NAVIGATION.values() for entry in entries}
    for path in TEMPLATES:
        named |= set(re.findall(r"""icon=['"]([a-z-]+)['"]""", text(path)))
        named |= set(re.findall(r"""icon\(['"]([a-z-]+)['"]""", text(path)))
    assert named <= drawn, named - drawn


def test_every_component_that_is_used_exists() -> None:
    components = (ROOT / "templates" / "components").glob("*.html")
    macros = {name for path in components for name in re.findall(r"{% macro (\w+)", text(path))}
    for path in TEMPLATES:
        used = set(re.findall(r"\bui\.(\w+)", text(path)))
        assert used <= macros, (path, used - macros)


def test_every_colour_and_size_that_is_used_is_defined() -> None:
    defined = set(re.findall(r"(--[\w-]+)\s*:", "".join(map(text, STYLES))))
    for path in [*STYLES, *SCRIPTS]:
        used = set(re.findall(r"var\((--[\w-]+)", text(path))) | set(re.findall(r"'(--[\w-]+)'", text(path)))
        assert used <= defined, (path, used - defined)


def test_every_library_is_pinned_has_its_licence_and_is_listed() -> None:
    readme = text(VENDOR / "README.md")
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert re.fullmatch(r".+-\d+\.\d+\.\d+", folder.name)
        assert list(folder.glob("LICENSE*")), folder
        assert f"`{folder.name}`" in readme


@pytest.mark.parametrize("name", sorted(frame.VENDORED))
def test_every_library_the_pages_name_is_there(name: str) -> None:
    assert (ROOT / "static" / frame.VENDORED[name]).is_file()


def test_every_component_is_told_to_who_writes_pages() -> None:
    readme = text(ROOT / "templates" / "components" / "README.md")
    for path in (ROOT / "templates" / "components").glob("*.html"):
        for name in re.findall(r"{% macro ([a-z]\w*)", text(path)):
            assert re.search(rf"`[^`]*\b{name}\b", readme), (path.name, name)
