"""What surrounds every page: navigation by role, sync status, versions of static files, names templates may use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from app.project import ROOT
from app.security import rights
from app.security.access import needs, polled, public
from app.web import current, formatting
from app.web.dealer_lines import together_of
from app.web.dispute_marks import is_disputed

if TYPE_CHECKING:
    from app.node import Node

pages = Blueprint("frame", __name__)

VENDORED = {
    "htmx": "vendor/htmx-2.0.11/htmx.min.js",
    "chart": "vendor/chart.js-4.6.1/chart.umd.min.js",
    "leaflet": "vendor/leaflet-1.9.4/leaflet.js",
    "leaflet_css": "vendor/leaflet-1.9.4/leaflet.css",
    "topojson": "vendor/topojson-client-3.1.0/topojson-client.min.js",
    "outlines": "vendor/world-atlas-2.0.2/countries-50m.json",
}


@dataclass(frozen=True)
class Entry:
    """One place in the navigation, shown to whom has the right when the page exists. `arguments` are the endpoint's."""

    label: str
    icon: str
    endpoint: str
    right: str
    group: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


def _list(label: str, icon: str, view: str, right: str, group: str = "") -> Entry:
    return Entry(label, icon, "lists.show", right, group, (("view", view),))


NAVIGATION: dict[str, tuple[Entry, ...]] = {
    "dealer": (
        Entry("Home", "home", "home.show", "read:book"),
        _list("Customers", "customer", "customers", "read:book"),
        _list("Machines", "machine", "machines", "read:book"),
        Entry("Parts desk", "parts", "parts_desk.show", "read:book"),
        Entry("Birthdays", "cake", "birthdays.show", "read:keepsake"),
        _list("Activities", "activity", "activities", "read:book", "Sales"),
        _list("Pipeline", "pipeline", "pipeline", "read:book", "Sales"),
        _list("Follow-ups", "flag", "follow-ups", "read:book", "Sales"),
        _list("Tasks", "task", "tasks", "read:book", "Sales"),
        Entry("All lists", "list", "lists.all_lists", "read:book", "Sales"),
        Entry("Replication", "sync", "replication.show", "read:replication", "Node"),
        Entry("Deleted", "delete", "deleted.show", "edit:book", "Node"),
        Entry("Import", "upload", "imports.show", "edit:book", "Node"),
        Entry("Users", "users", "users.show_all", "read:users", "Node"),
    ),
    "manufacturer": (
        Entry("Dashboard", "chart", "dashboard.show", "read:market"),
        Entry("Dealers", "dealer", "dealers.show_all", "read:market"),
        _list("Models", "machine", "models", "read:catalog", "Catalog"),
        _list("Parts", "parts", "parts", "read:catalog", "Catalog"),
        _list("Bulletins", "bulletin", "bulletins", "read:catalog", "Catalog"),
        Entry("Deleted", "delete", "deleted.show", "edit:catalog", "Catalog"),
        Entry("All lists", "list", "lists.all_lists", "read:catalog", "Catalog"),
        Entry("Replication", "sync", "replication.show", "read:replication", "Node"),
        Entry("Users", "users", "users.show_all", "read:users", "Node"),
    ),
}

# Types with a page written by hand, at dealers or at head office; every other document is shown by its form.
PAGE_OF_TYPE = {
    "customer": ("customers.show", "market_documents.customer"),
    "machine": ("machines.show", "market_documents.machine"),
    "model": ("catalog.model",),
    "part": ("catalog.part",),
    "bulletin": ("catalog.bulletin",),
}


def install(app: Flask, node: Node) -> None:
    """Gives the templates their names: ``ui``, ``asset``, ``document_url``, ``is_disputed``, ``may`` …, the filters."""
    formatting.install(app, node.now, node.settings.currency)
    app.jinja_env.globals.update(
        ui=_Components(app),
        asset=asset,
        vendored=lambda name: asset(VENDORED[name]),
        document_url=document_url,
        is_disputed=is_disputed,
        may=current.may,
        label_of=current.label_of,
        navigation=navigation,
        node_name=node.settings.name,
        node_role=node.role,
        dealer=node.dealer,
        currency=node.settings.currency,
        today=node.today,
        role_labels=rights.ROLES,
    )


class _Components:
    """All macros of ``templates/components/*.html`` under one name, so that no template has to import them."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._macros: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if not self._macros:
            environment = self._app.jinja_env
            macros: dict[str, Any] = {}
            for template in environment.list_templates(filter_func=_is_component):
                module = environment.get_template(template).module
                macros.update({key: value for key, value in vars(module).items() if not key.startswith("_")})
            # Assigned as a whole, for another thread may be asking at the same moment.
            self._macros = macros
        try:
            return self._macros[name]
        except KeyError:
            raise AttributeError(f"there is no component {name!r} in templates/components/") from None


def _is_component(template: str) -> bool:
    return template.startswith("components/") and template.endswith(".html")


@cache
def _version(path: str) -> str:
    return hashlib.sha256((ROOT / "static" / path).read_bytes()).hexdigest()[:12]


def asset(path: str) -> str:
    """The address of a static file with its version, so that browsers may keep it for ever."""
    return url_for("static", filename=path, v=_version(path))


def document_url(document_id: str, document_type: str = "") -> str:
    """The page of a document: the handwritten one of its type, else the one drawn from its form."""
    kind = document_type or type_of(document_id)
    for endpoint in PAGE_OF_TYPE.get(kind, ()):
        if endpoint in current_app.view_functions:
            return url_for(endpoint, document_id=document_id)
    return url_for("documents.show", document_id=document_id)


def type_of(document_id: str) -> str:
    """The type of document an id belongs to: ``customer`` of ``D001:customer:…``, ``model`` of ``model:…``."""
    parts = document_id.split(":")
    return parts[0] if parts[0] in current.CATALOG_TYPES else parts[1] if len(parts) > 2 else ""


@dataclass(frozen=True)
class Link:
    """A place in the navigation as it is drawn."""

    label: str
    icon: str
    url: str
    here: bool


def navigation() -> list[tuple[str, list[Link]]]:
    """The places the signed-in user may go to, in groups: ``(heading, links)``."""
    if not current.user().is_authenticated:
        return []
    places: list[tuple[Entry, str]] = []
    for entry in NAVIGATION[current.node().role]:
        if entry.endpoint in current_app.view_functions and current.may(*entry.right.split(":")):
            arguments: dict[str, Any] = dict(entry.arguments)
            places.append((entry, url_for(entry.endpoint, **arguments)))
    here = _here(request.path, [url for _, url in places])
    groups: dict[str, list[Link]] = {}
    for entry, url in places:
        groups.setdefault(entry.group, []).append(Link(entry.label, entry.icon, url, url == here))
    return list(groups.items())


def _here(path: str, urls: list[str]) -> str:
    """The place in the navigation that a page belongs to: the longest address that its own begins with."""
    around = [url for url in urls if path == url or (url != "/" and path.startswith(url + "/"))]
    return max(around, key=len, default="")


@dataclass(frozen=True)
class SyncStatus:
    """The sync status in the frame: ``good``, ``busy``, ``warning``, ``bad`` or ``none``, and a few words."""

    state: str
    words: str
    sentence: str
    url: str = "/replication"


def sync_status() -> SyncStatus:
    """What the frame says about the sync."""
    from app.replication.status import status

    found = status(current.node())
    if not found.connections:
        not_connected = SyncStatus("none", "Not connected", found.sentence)
        return _dealers_status() if current.node().is_manufacturer else not_connected
    if found.running:
        return SyncStatus("busy", "Syncing", found.sentence)
    if found.refused:
        return SyncStatus("bad", f"{found.refused} refused", found.sentence)
    if found.failing_since:
        return SyncStatus("warning", "Not syncing", found.sentence)
    if not found.last_success:
        return SyncStatus("none", "Never synced", found.sentence)
    if found.unsent:
        return SyncStatus("warning", f"{formatting.format_count(found.unsent, 'change')} to send", found.sentence)
    return SyncStatus("good", "In sync", found.sentence)


def _dealers_status() -> SyncStatus:
    """At head office, which has no upstream: how the dealers' syncs are doing."""
    from app.replication.dealers import dealers

    together = together_of(dealers(current.node()), current.node().now())
    url = url_for("dealers.show_all") if current.may("read", "market") else "/replication"
    return SyncStatus(together.tone or "none", together.words, together.sentence, url)


@pages.get("/status")
@needs("signed in")
@polled
def status() -> ResponseReturnValue:
    """The fragment that says how the sync is doing; every page asks for it again and again.

    Whoever signed in again in another tab goes on in this one: it learns the token of the new session.
    """
    answer = make_response(render_template("frame/sync_status.html", status=sync_status()))
    answer.headers["X-CSRF-Token"] = generate_csrf()
    return answer


@pages.get("/healthz")
@public
def health() -> ResponseReturnValue:
    """Whether the store answers, for whoever watches over this node."""
    up = current.node().store.up()
    return {"ok": up}, 200 if up else 503


def is_fragment() -> bool:
    """Whether the request comes from htmx and wants a part of a page, not all of it."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def page_or_fragment(page: str, fragment: str, /, **values: Any) -> str:
    """Renders `fragment` for htmx and the whole `page` otherwise, with the same values."""
    return render_template(fragment if is_fragment() else page, **values)
