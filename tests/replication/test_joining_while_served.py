"""A node that joins on its first page is opened again as the dealer's, by the same process, at the same address."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

from app.node import Node
from app.project import ROOT
from app.replication import dealers, members
from app.replication.invitations import write_invitation


def test_a_browser_that_joined_goes_on_at_the_same_address_as_the_dealers(
    manufacturer_node: Node, tmp_path: Path
) -> None:
    dealers.add_dealer(manufacturer_node, "D042", "Bergmann Baumaschinen")
    text = write_invitation(members.invite(manufacturer_node, "the depot", "D042"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "serve", "--data", str(tmp_path / "new"), "--port", str(port)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    # It ends with its standard input, so also when something here fails.
    with subprocess.Popen([*command, "--with-parent"], cwd=ROOT, **pipes) as serving:
        assert "My dealership is at" in serving.stdout.readline()
        # As a browser does, over one connection that is kept.
        browser = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        page, cookie = get(browser, "/first-start/join")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        form = urlencode({"invitation": text, "csrf_token": token[1]})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        browser.request("POST", "/first-start/join", form, headers)
        assert "Bergmann Baumaschinen · D042" in browser.getresponse().read().decode()
        assert "Bergmann Baumaschinen is at" in serving.stdout.readline()
        # The kept connection must not lead to the pages of a node that is closed.
        page, _ = get(browser, "/first-start")
        assert "Bergmann Baumaschinen · D042" in page
        assert "Make the first administrator" in page
        serving.stdin.close()
        assert serving.wait(20) == 0


def get(browser: http.client.HTTPConnection, address: str) -> tuple[str, str]:
    """The page, and the session's cookie. A connection that the server has closed is made anew, as browsers do."""
    until = time.monotonic() + 20
    while True:
        try:
            browser.request("GET", address)
            answer = browser.getresponse()
            text = answer.read().decode()
        except (http.client.HTTPException, ConnectionError):
            browser.close()
            assert time.monotonic() < until
            continue
        assert answer.status == 200, text
        return text, (answer.getheader("Set-Cookie") or "").split(";")[0]
