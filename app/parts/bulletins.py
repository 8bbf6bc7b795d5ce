"""Which bulletins a machine still needs (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.parts.serials import digits, in_range, plain

_SEVERITIES = ("safety", "important", "advice")
_OUT_OF_USE = frozenset({"scrapped"})


def open_bulletins(
    machine: Mapping[str, Any], bulletins: Iterable[Mapping[str, Any]], services: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The `bulletin` documents that apply to `machine` and are not done by its `services`: safety first, then the
    longest issued."""
    done = bulletins_done(services)
    found = [bulletin for bulletin in bulletins if applies(bulletin, machine) and not _names(bulletin) & done]
    return sorted(found, key=lambda bulletin: (_rank(bulletin), str(bulletin.get("issued_on") or "9999")))


def applies(bulletin: Mapping[str, Any], machine: Mapping[str, Any]) -> bool:
    """Whether a bulletin is for this machine, by make, models and range of serial numbers.

    A bulletin that names no models is for all of the make's. A machine whose model nobody knows is taken in when its
    serial lies in a range with two ends: that is how a campaign finds machines. A scrapped machine needs none.
    """
    if machine.get("status") in _OUT_OF_USE or not plain(machine.get("make")):
        return False
    if plain(bulletin.get("make")) != plain(machine.get("make")):
        return False
    if not _serial_in_range(bulletin, machine):
        return False
    wanted = _wanted(bulletin, machine)
    if not wanted:
        return True
    if not plain(machine.get("model")):
        return bool(plain(bulletin.get("serial_from")) and plain(bulletin.get("serial_to")))
    return bool(wanted & _model_names(machine, machine.get("model")))


def concerns_model(bulletin: Mapping[str, Any], make: str, model: str) -> bool:
    """Whether a bulletin is for machines of this model, those with some serial numbers or all of them."""
    machine = {"make": make, "model": model}
    if not plain(make) or plain(bulletin.get("make")) != plain(make):
        return False
    wanted = _wanted(bulletin, machine)
    return not wanted or bool(wanted & _model_names(machine, model))


def bulletins_done(services: Iterable[Mapping[str, Any]]) -> set[str]:
    """The bulletins that services say are done, as plain codes; a service names a bulletin by its code or its id."""
    return {plain(_without_type(service.get("bulletin"))) for service in services if service.get("bulletin")}


def _names(bulletin: Mapping[str, Any]) -> set[str]:
    return {plain(bulletin.get("code")), plain(_without_type(bulletin.get("_id")))} - {""}


def _without_type(identifier: Any) -> str:
    return str(identifier or "").removeprefix("bulletin:").removeprefix("model:")


def _wanted(bulletin: Mapping[str, Any], machine: Mapping[str, Any]) -> set[str]:
    models = bulletin.get("models")
    return {name for model in (models if isinstance(models, list) else ()) for name in _model_names(machine, model)}


def _model_names(machine: Mapping[str, Any], model: Any) -> set[str]:
    """A model by its name and by its catalog id, `model:<MAKE>-<NAME>`, which holds the make as well."""
    name, make = plain(_without_type(model)), plain(machine.get("make"))
    if not name:
        return set()
    return {name.removeprefix(make) or name}


def _serial_in_range(bulletin: Mapping[str, Any], machine: Mapping[str, Any]) -> bool:
    first, last = bulletin.get("serial_from"), bulletin.get("serial_to")
    if not plain(first) and not plain(last):
        return True
    if in_range(machine.get("serial"), first, last):
        return True
    # Some makers' telematics call another number the serial; the one on the plate is then the PIN. It is asked only
    # when the serial is of another kind than the range, or the serial's answer would not count.
    lengths = {digits(end) for end in (first, last) if plain(end)}
    return digits(machine.get("serial")) not in lengths and in_range(machine.get("pin"), first, last)


def _rank(bulletin: Mapping[str, Any]) -> int:
    severity = bulletin.get("severity")
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
