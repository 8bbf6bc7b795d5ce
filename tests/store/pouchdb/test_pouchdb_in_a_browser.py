"""A page of another web site, with PouchDB in it, trades with the store where its settings allow the site."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from couch_requests import Couch
from playwright.sync_api import Browser

import embedded

ADMIN = ("admin", "a password of the tests")
TRADE = """async ({ url, user, password }) => {
    const photo = new Blob([new Uint8Array(70000).map((_, n) => n % 251)], { type: 'image/x-raw' });
    const bytes = async (blob) => Array.from(new Uint8Array(await blob.arrayBuffer())).join();
    const remote = new PouchDB(url, { skip_setup: true, auth: { username: user, password } });
    const db = new PouchDB('local-' + Math.random());
    await db.put({ _id: 'a', v: 1, _attachments: { 'f 1': { content_type: photo.type, data: photo } } });
    const gone = await db.put({ _id: 'gone' });
    await db.sync(remote);
    await remote.put({ ...(await remote.get('a')), v: 'there' });
    await db.put({ ...(await db.get('a')), v: 'here' });
    await db.remove('gone', gone.rev);
    const told = await db.sync(remote);
    const [here, there] = [await db.get('a', { conflicts: true }), await remote.get('a', { conflicts: true })];
    const same = (await bytes(await remote.getAttachment('a', 'f 1'))) === (await bytes(photo));
    await db.destroy();
    return { here, there, same, failures: told.push.doc_write_failures + told.pull.doc_write_failures };
}"""
SIGN_IN = """async ({ url, user, password }) => {
    const send = (path, options) => fetch(url + path, { credentials: 'include', ...options });
    const signed = await send('/_session', {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: user, password })
    });
    return (await signed.json()).ok === true;
}"""
REFUSED = "({ url }) => fetch(url).then(() => 'answered', (error) => error.name)"


class _Page(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test says what it needs to."""


@pytest.fixture
def site(node: str) -> Iterator[str]:
    """The address of another web site, which has PouchDB and a page."""
    folder = Path(__file__).parent / "node_modules" / "pouchdb" / "dist"
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Page, directory=str(folder))) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        serving.join()


def test_a_page_of_an_allowed_site_trades_and_one_of_another_gets_nothing(
    site: str, chromium: Browser, tmp_path: Path
) -> None:
    with (
        embedded.start(tmp_path / "open", admin=ADMIN, cors_origins=[site]) as allowing,
        embedded.start(tmp_path / "closed", admin=ADMIN, cors_origins=["https://book.example"]) as refusing,
    ):
        store = Couch(allowing.url, ADMIN)
        store.put("/book")
        page = chromium.new_page()
        page.goto(f"{site}/pouchdb.min.js")
        page.add_script_tag(url=f"{site}/pouchdb.min.js")
        asked = {"url": f"{allowing.url}/book", "user": ADMIN[0], "password": ADMIN[1]}
        traded = page.evaluate(TRADE, asked)
        signed_in = page.evaluate(SIGN_IN, asked | {"url": allowing.url})
        refused = page.evaluate(REFUSED, {"url": refusing.url})
        kept = json.loads(store.get("/book/a?conflicts=true").data)

    for side in (traded["here"], traded["there"]):
        side["_attachments"]["f 1"].pop("revpos")  # PouchDB counts it anew where it stores what it pulled
    assert traded["here"] == traded["there"]
    assert len(traded["here"]["_conflicts"]) == 1
    assert traded["same"] is True
    assert traded["failures"] == 0
    assert kept["_conflicts"] == traded["here"]["_conflicts"]
    assert signed_in is True
    assert refused == "TypeError"
