"""What hangs on a document of the catalog: what its deletion would take away, or why it cannot be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.market import figures
from app.web import catalog_page, current
from app.web.formatting import format_count
from app.words import noun


@dataclass(frozen=True)
class Uses:
    """Sentences about what hangs on a document, the documents ``(id, what it is called)``, and why it must stay."""

    sentences: list[str] = field(default_factory=list)
    documents: list[tuple[str, str]] = field(default_factory=list)
    refusal: str = ""


def uses_of(document: Mapping[str, Any]) -> Uses:
    """What hangs on a model, a part or a bulletin at head office; nothing for any other document."""
    node = current.node()
    if not node.is_manufacturer:
        return Uses()
    kind = document.get("type")
    if kind == "part":
        return _uses_of_part(str(document["_id"]))
    if kind == "model":
        make, name = str(document.get("make") or ""), str(document.get("name") or "")
        return _uses_of_model(figures.model_by_dealer(node, make, name))
    if kind == "bulletin":
        return _uses_of_bulletin(figures.bulletin_by_dealer(node, str(document["_id"])))
    return Uses()


def naming(document_id: str) -> list[dict[str, Any]]:
    """The documents of the catalog that name this one (one request)."""
    rows = current.node().catalog.view(
        "references", "to", startkey=[document_id], endkey=[document_id, {}], reduce=False, include_docs=True
    ).rows  # fmt: skip
    return [row.doc for row in rows if row.doc]


def _uses_of_part(part: str) -> Uses:
    named_in = naming(part)
    lines = [use for use in catalog_page.uses_of(part, named_in) if not use.once]
    models = {use.document_id for use in lines}
    bulletins = {str(each["_id"]) for each in named_in if each.get("type") == "bulletin"}
    replaced = {str(each["_id"]) for each in named_in if each.get("type") == "part"}
    said = []
    if models:
        said.append(f"{format_count(len(lines), 'line')} of {format_count(len(models), 'service plan')}")
    if bulletins:
        said.append(format_count(len(bulletins), "bulletin"))
    if replaced:
        said.append(f"{format_count(len(replaced), 'part')} that it replaces")
    if not said:
        return Uses()
    called = sorted((str(each["_id"]), catalog_page.called(each)) for each in named_in)
    one = len(lines) + len(bulletins) + len(replaced) == 1
    return Uses(
        documents=called,
        refusal=(
            f"{' and '.join(said)} {'names' if one else 'name'} this part, so it cannot be deleted: dealers would not "
            "know any more what to order. Say in it which part replaces it, or take it out of these first."
        ),
    )


def _uses_of_model(machines: Mapping[str, int]) -> Uses:
    together = sum(machines.values())
    if not together:
        return Uses()
    return Uses(
        [
            f"{format_count(together, 'machine')} of {format_count(len(machines), 'dealer')} "
            f"{noun(together, 'is', 'are')} of this model. "
            "They stay, but without a service plan: nobody will see any more which parts they need."
        ]
    )


def _uses_of_bulletin(progress: Mapping[str, tuple[int, int]]) -> Uses:
    still_open = sum(each[0] for each in progress.values())
    done = sum(each[1] for each in progress.values())
    said = []
    if still_open:
        said.append(
            f"It is still to be done on {format_count(still_open, 'machine')} of "
            f"{format_count(sum(each[0] > 0 for each in progress.values()), 'dealer')}: "
            "these dealers will not be told of it any more."
        )
    if done:
        said.append(f"It was done on {format_count(done, 'machine')}; the services that say so stay.")
    return Uses(said)
