"""The people at the demo's customers, and what the dealers remember of them: birthdays, flowers, families."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from app.demo import regions
from app.demo.decks import Deck
from app.demo.machines import key
from app.demo.names import plain
from app.demo.regions import Region
from app.documents.ids import document_id

Document = dict[str, Any]

_JOBS = (
    ("Managing director", 1.0),
    ("Workshop foreman", 0.55),
    ("Site manager", 0.6),
    ("Dispatcher", 0.35),
    ("Driver", 0.2),
)
# In how many days somebody at each dealer has a birthday, whatever day it is.
_SOON = (0, 1, 2, 4, 6, 7, 9, 11, 12, 13)
_PERSON_NOTES = (
    "Decides, whatever others say.",
    "Only reachable before seven or after five.",
    "Answers short messages, never e-mails.",
    "Was with the competition for ten years and knows their prices.",
    "Wants every figure twice, then signs at once.",
    "Best met on site, not in the office.",
    "Orders on paper. The fax still works.",
    "New since spring, finding the way around.",
)


class Staff:
    """Makes the people of one dealer's customers; no two of them have the same name."""

    def __init__(self, region: Region, chance: random.Random) -> None:
        self._region, self._chance = region, chance
        self._names: set[str] = set()
        self._women: set[str] = set()
        self._notes = Deck(_PERSON_NOTES, chance)

    def people(self, customer: Document) -> Iterator[Document]:
        """Who works at a customer: at least its head, and often somebody in the office who assists."""
        head = ""
        for job, share in _JOBS:
            if self._chance.random() > share:
                continue
            person = self._person(customer, job)
            head = head or person["_id"]
            yield person
        if self._chance.random() < 0.62:
            title = self._chance.choice(["Assistant to the managing director", "Office and accounts"])
            yield self._person(customer, title, assists=head)

    def is_woman(self, person: Document) -> bool:
        """Whether sentences about the person say "she"."""
        return person["_id"] in self._women

    def _person(self, customer: Document, job: str, assists: str = "") -> Document:
        chance = self._chance
        woman = chance.random() < (0.75 if assists else 0.1 if job == "Driver" else 0.28)
        name = self._name(customer, woman, owner=job == "Managing director" and chance.random() < 0.6)
        phones = [{"id": "p1", "label": "office", "number": f"{customer['phone']}-{chance.randint(11, 39)}"}]
        if chance.random() < 0.8:
            mobile = "+49 170" if self._region.country == "Germany" else "+43 664"
            phones.append({"id": "p2", "label": "mobile", "number": f"{mobile} {chance.randint(5550000, 5559999)}"})
        address = f"{plain(name).replace('-', '.')}@{customer['email'].split('@')[1]}"
        person = document(
            customer["dealer"],
            "person",
            chance,
            customer=customer["_id"],
            name=name,
            job=job,
            phones=phones,
            emails=[{"id": "e1", "label": "work", "address": address}],
            assists=assists,
            notes=self._notes.draw() if chance.random() < 0.25 else "",
        )
        if woman:
            self._women.add(person["_id"])
        return person

    def _name(self, customer: Document, woman: bool, owner: bool) -> str:
        while True:
            first = self._chance.choice(regions.FIRST_NAMES_W if woman else regions.FIRST_NAMES_M)
            last = customer["name"].split()[0] if owner else self._chance.choice(regions.FAMILY_NAMES)
            name = f"{first} {last}"
            if name not in self._names:
                self._names.add(name)
                return name

    def keepsakes(self, staff: Sequence[Document], today: date) -> list[Document]:
        """What is remembered of two in three people; ten of them have their birthdays within the next two weeks."""
        chance = self._chance
        remembered = [person for person in staff if person.get("assists") or chance.random() < 0.6]
        chance.shuffle(remembered)
        flowers, families, notes = (Deck(words, chance) for words in (_FLOWERS, _FAMILIES, _KEEPSAKE_NOTES))
        found = []
        for index, person in enumerate(remembered):
            soon = index < len(_SOON)
            born = today + timedelta(days=_SOON[index] if soon else chance.randint(15, 360))
            sex, age = "w" if self.is_woman(person) else "m", chance.randint(27, 63)

            def fits(words: tuple[str, str, int, int], sex: str = sex, age: int = age) -> bool:
                return words[1] in ("", sex) and words[2] <= age <= words[3]

            family = families.draw(fits)[0] if chance.random() < 0.55 else ""
            found.append(
                document(
                    person["dealer"],
                    "keepsake",
                    chance,
                    person=person["_id"],
                    customer=person["customer"],
                    birthday=born.strftime("%m-%d"),
                    birth_year=born.year - age if chance.random() < 0.65 else None,
                    flowers=flowers.draw(fits)[0] if soon or chance.random() < 0.7 else "",
                    family=family,
                    notes=notes.draw(fits)[0] if chance.random() < 0.35 else "",
                )
            )
        return found


def document(dealer: str, kind: str, chance: random.Random, /, **fields: Any) -> Document:
    """A document of a dealer's book without its empty fields."""
    share = "dealer" if kind == "keepsake" else "manufacturer"
    filled = {name: value for name, value in fields.items() if value not in (None, "", [])}
    return {"_id": document_id(dealer, kind, key(chance)), "type": kind, "dealer": dealer, "share": share, **filled}


# (words, of whom: "w", "m" or anybody, from which age, until which age)
_FLOWERS = (
    ("white freesias", "", 0, 99),
    ("yellow roses, never red", "w", 0, 99),
    ("sunflowers", "", 0, 99),
    ("tulips from the market, any colour but pink", "w", 0, 99),
    ("peonies when they are in season", "w", 0, 99),
    ("no cut flowers, she likes orchids in a pot", "w", 0, 99),
    ("gerberas", "w", 0, 99),
    ("lilies of the valley", "w", 0, 99),
    ("a mixed bunch with lavender", "w", 0, 99),
    ("blue hyacinths", "", 0, 99),
    ("dahlias from a farm, not the florist's", "w", 0, 99),
    ("white lilies", "w", 0, 99),
    ("ranunculus", "w", 0, 99),
    ("hydrangea for the garden", "", 35, 99),
    ("no flowers, good chocolate", "", 0, 99),
    ("carnations, he laughs but likes them", "m", 0, 99),
    ("asters", "", 0, 99),
    ("anemones", "w", 0, 99),
    ("no flowers, a bottle of red wine", "m", 0, 99),
    ("a cactus, he collects them", "m", 0, 99),
    ("an apple tree for the new garden, he said", "m", 28, 50),
    ("nothing for him, a bunch for his wife", "m", 30, 99),
    ("a pot of herbs for the kitchen", "", 0, 99),
    ("no flowers, smoked ham from the market", "m", 0, 99),
)
_FAMILIES = (
    ("Two daughters, the elder studies civil engineering.", "", 44, 63),
    ("Son Paul drives the mini excavator on Saturdays.", "", 40, 58),
    ("Married, three boys, all of them play handball.", "", 36, 55),
    ("Just became a grandmother.", "w", 49, 63),
    ("Second grandchild was born in August.", "", 50, 63),
    ("Dog called Rocky, always in the cab.", "", 0, 99),
    ("Husband works at the savings bank.", "w", 28, 63),
    ("Wife keeps bees; a jar of honey is always on the desk.", "m", 32, 63),
    ("Twins, born in spring.", "", 27, 40),
    ("Cares for the mother, better not to call before nine.", "", 42, 63),
    ("Sings in the church choir.", "", 0, 99),
    ("Daughter starts her apprenticeship in our workshop next autumn.", "", 38, 56),
    ("Plays the accordion in the village band.", "", 0, 99),
    ("Goes skiing with the whole family in the first week of March.", "", 33, 56),
    ("Getting married next summer.", "", 27, 38),
    ("Son took over the farm, helps with the hay.", "", 52, 63),
    ("Wife teaches at the primary school.", "m", 28, 60),
    ("Husband is with the volunteer fire brigade, so is she.", "w", 27, 60),
    ("Building a house, nearly done.", "", 28, 42),
    ("Two horses, competes at weekends.", "w", 0, 99),
    ("Coaches the under-twelves, training on Tuesdays and Thursdays.", "", 28, 55),
    ("Daughter Lena is in her last year at school.", "", 40, 56),
    ("Three cats, no children, travels a lot.", "", 30, 63),
    ("Father founded the firm and still comes in every morning.", "m", 30, 58),
    ("First child due in February.", "", 27, 38),
    ("Brother runs the quarry across the valley.", "", 0, 99),
    ("Son is an apprentice with us, second year.", "", 38, 56),
    ("Lost his wife last year. Be kind.", "m", 50, 63),
    ("Grows vines behind the house, twelve bottles a year.", "", 40, 63),
    ("Rides an old motorcycle, the family does not approve.", "m", 40, 63),
)
_KEEPSAKE_NOTES = (
    ("Takes coffee black and at once.", "", 0, 99),
    ("Vegetarian: remember at the open day.", "", 0, 99),
    ("Collects old enamel signs.", "m", 0, 99),
    ("Was a driver himself, do not explain hydraulics to him.", "m", 35, 99),
    ("Prefers to be rung on the mobile after four.", "", 0, 99),
    ("Fan of the local ice hockey team.", "", 0, 99),
    ("Likes a handwritten card more than anything we could buy.", "", 0, 99),
    ("Allergic to nuts.", "", 0, 99),
    ("Asks after my mother every time.", "", 0, 99),
    ("Does not drink; no wine.", "", 0, 99),
    ("Always has biscuits for visitors. Praise them.", "w", 0, 99),
    ("Retires in two years and says so often.", "", 61, 99),
    ("Runs half marathons, ask about the last one.", "", 0, 55),
    ("First name terms since the trade fair.", "", 0, 99),
    ("Never joke about the football club.", "", 0, 99),
    ("Speaks Italian, had a grandfather from Trento.", "", 0, 99),
)
