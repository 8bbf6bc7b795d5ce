"""What the forecast needs of the catalog, read once a run: models, the parts of their plans, bulletins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from app.couch import Database
from app.parts import needs
from app.parts.plans import part_id, plan_of
from app.parts.serials import plain

Document = Mapping[str, Any]
# A part replaced by a part replaced by a part …; each is one request, and a circle of them must end.
_MOST_REPLACEMENTS = 12


def model_id(make: Any, model: Any) -> str:
    """The catalog's id of a make's model, empty when one of them is not known."""
    return needs.model_id({"make": make, "model": model}) if make and model else ""


class Catalog:
    """The catalog as far as machines asked for it. `parts` are documents by id, with those that replace them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._models: dict[str, Document | None] = {}
        self._asked_parts: set[str] = set()
        self.parts: dict[str, Document] = {}

    def read_for(self, machines: Iterable[Document]) -> None:
        """Reads the models of these machines and the parts that their plans name, what is not known already."""
        wanted = {model_id(machine.get("make"), machine.get("model")) for machine in machines} - self._models.keys()
        wanted.discard("")
        if not wanted:
            return
        found = self._database.get_many(sorted(wanted))
        self._models.update({model: found.get(model) for model in wanted})
        parts = {line.part for model in found.values() for line in plan_of(model) if line.part}
        for _ in range(_MOST_REPLACEMENTS):
            parts -= self._asked_parts
            if not parts:
                return
            read = self._database.get_many(sorted(parts))
            self._asked_parts |= parts
            self.parts.update(read)
            parts = {part_id(part["replaced_by"]) for part in read.values() if part.get("replaced_by")}

    def model_of(self, machine: Document) -> Document | None:
        """The machine's model, once it was read."""
        return self._models.get(model_id(machine.get("make"), machine.get("model")))

    def bulletins_of(self, machine: Document) -> Sequence[Document]:
        """The bulletins of the machine's make: the only ones that can concern it."""
        return self._bulletins.get(plain(machine.get("make")), ())

    def makes_of_bulletins(self, bulletins: Iterable[str]) -> set[str]:
        """The makes, as :func:`app.parts.serials.plain` writes them, that these bulletins are for now."""
        wanted = set(bulletins)
        return {make for make, found in self._bulletins.items() if any(each["_id"] in wanted for each in found)}

    def models_with_parts(self, parts: Iterable[str]) -> set[str]:
        """The models whose plans name one of `parts`, or a part that one of them replaces."""
        models: set[str] = set()
        asked: set[str] = set()
        following = set(parts)
        for _ in range(_MOST_REPLACEMENTS):
            following -= asked
            if not following:
                break
            keys = [[part, kind] for part in sorted(following) for kind in ("model", "part")]
            rows = self._database.view("references", "to", keys=keys, reduce=False).rows
            asked |= following
            models.update(str(row.id) for row in rows if row.key[1] == "model")
            following = {str(row.id) for row in rows if row.key[1] == "part"}
        return models

    @cached_property
    def _bulletins(self) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for row in self._database.all_docs(startkey="bulletin:", endkey="bulletin;", include_docs=True).rows:
            if row.doc and plain(row.doc.get("make")):
                found.setdefault(plain(row.doc["make"]), []).append(row.doc)
        return found
