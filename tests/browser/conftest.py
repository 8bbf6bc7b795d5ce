"""The demo, filled and served, and a headless Chromium to look at it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from app.demo.folders import DEALERS, DemoFolders, free_port
from app.demo.preparing import prepare
from app.demo.serving import Served, served
from app.steps import Steps


class Demo:
    """The running demo: its nodes (head office first) and the password of its logins."""

    def __init__(self, nodes: list[Served], password: str) -> None:
        self.head_office, *self.dealers = nodes
        self.password = password

    def sign_in(self, page: Page, node: Served, name: str) -> None:
        """Signs in to a node as one of the demo's people."""
        page.goto(node.address)
        page.fill("input[name=name]", name)
        page.fill("input[type=password]", self.password)
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo on ports and folders of its own."""
    folders = DemoFolders(tmp_path_factory.mktemp("demo") / "nodes")
    steps = Steps(quiet=True)
    prepare(folders, [free_port() for _ in range(2 + len(DEALERS))], None, False, steps)
    with served(folders, steps) as nodes:
        yield Demo(nodes, folders.password())


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A browser window of its own, 1440 wide."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()
