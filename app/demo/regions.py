"""Where the demo's two dealers work: real towns with their coordinates, and names of nobody's company."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Town:
    """A town by name, with its postcode and the position of its middle in degrees."""

    name: str
    postcode: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Region:
    """What a dealer's customers are made from. `salespeople` are the dealer's own."""

    country: str
    phone: str
    towns: tuple[Town, ...]
    surnames: tuple[str, ...]
    streets: tuple[str, ...]
    salespeople: tuple[str, ...]
    technicians: tuple[str, ...]


_NORTH_HESSE = Region(
    country="Germany",
    phone="+49 561",
    towns=(
        Town("Kassel", "34117", 51.312, 9.481),
        Town("Baunatal", "34225", 51.255, 9.410),
        Town("Vellmar", "34246", 51.356, 9.472),
        Town("Fritzlar", "34560", 51.132, 9.276),
        Town("Melsungen", "34212", 51.130, 9.548),
        Town("Hofgeismar", "34369", 51.496, 9.385),
        Town("Wolfhagen", "34466", 51.327, 9.170),
        Town("Homberg (Efze)", "34576", 51.034, 9.405),
        Town("Eschwege", "37269", 51.187, 10.053),
        Town("Witzenhausen", "37213", 51.342, 9.857),
        Town("Korbach", "34497", 51.273, 8.873),
        Town("Bad Arolsen", "34454", 51.382, 9.018),
        Town("Warburg", "34414", 51.489, 9.146),
        Town("Göttingen", "37073", 51.541, 9.916),
        Town("Hann. Münden", "34346", 51.417, 9.651),
        Town("Bad Hersfeld", "36251", 50.868, 9.706),
        Town("Rotenburg an der Fulda", "36199", 50.995, 9.727),
        Town("Bebra", "36179", 50.971, 9.790),
        Town("Schwalmstadt", "34613", 50.917, 9.211),
        Town("Bad Wildungen", "34537", 51.119, 9.124),
        Town("Northeim", "37154", 51.706, 10.000),
        Town("Uslar", "37170", 51.661, 9.635),
        Town("Hessisch Lichtenau", "37235", 51.199, 9.718),
        Town("Sontra", "36205", 51.072, 9.933),
    ),
    surnames=(
        "Kettwich", "Aspelmeier", "Brennholt", "Dörnfeld", "Eschkamp", "Freymuth", "Gieseloh", "Habichtsberg",
        "Illenrath", "Jesterkamp", "Krummacker", "Lohrbeck", "Mengershaus", "Nolteberg", "Ossenkopp", "Pflugbeil",
        "Querfurter", "Riethmark", "Söhrewald", "Trendelhoff", "Uhlendahl", "Volkmarsen", "Wiegershof", "Zierenberg",
        "Altmüthen", "Bracklage", "Clausholt", "Diemelstein", "Edertaler", "Fuldenbach",
    ),
    streets=("Am Steinbruch", "Industriestraße", "Kiesweg", "Zum Bauhof", "Lange Straße", "An der Kläranlage",
             "Werrastraße", "Hinter dem Bahnhof", "Mühlenfeld", "Gewerbepark"),
    salespeople=("Sara Vogt", "Jonas Weidner", "Miriam Kolbe"),
    technicians=("R. Stahl", "D. Özkan", "T. Fehr", "L. Brede"),
)  # fmt: skip

_TYROL = Region(
    country="Austria",
    phone="+43 512",
    towns=(
        Town("Innsbruck", "6020", 47.269, 11.404),
        Town("Hall in Tirol", "6060", 47.281, 11.507),
        Town("Schwaz", "6130", 47.346, 11.708),
        Town("Wörgl", "6300", 47.489, 12.066),
        Town("Kufstein", "6330", 47.583, 12.169),
        Town("Kitzbühel", "6370", 47.446, 12.392),
        Town("St. Johann in Tirol", "6380", 47.523, 12.425),
        Town("Imst", "6460", 47.245, 10.739),
        Town("Landeck", "6500", 47.140, 10.567),
        Town("Telfs", "6410", 47.307, 11.072),
        Town("Reutte", "6600", 47.489, 10.718),
        Town("Lienz", "9900", 46.829, 12.769),
        Town("Jenbach", "6200", 47.392, 11.772),
        Town("Zell am Ziller", "6280", 47.232, 11.882),
        Town("Mayrhofen", "6290", 47.167, 11.865),
        Town("Matrei am Brenner", "6143", 47.128, 11.452),
        Town("Zirl", "6170", 47.273, 11.241),
        Town("Seefeld in Tirol", "6100", 47.330, 11.188),
        Town("Brixlegg", "6230", 47.430, 11.878),
        Town("Hopfgarten", "6361", 47.450, 12.157),
        Town("Ehrwald", "6632", 47.399, 10.920),
        Town("Nauders", "6543", 46.890, 10.503),
        Town("Oetz", "6433", 47.203, 10.892),
        Town("Fulpmes", "6166", 47.152, 11.349),
    ),
    surnames=(
        "Aschbichl", "Brandnock", "Christlwand", "Dornegger", "Ebenspitzer", "Falkmoser", "Gschwandhof", "Hinterlechl",
        "Innerkofl", "Jochbauer", "Karlschmied", "Lärchfelder", "Mutspitz", "Niederalmer", "Oberwandl", "Patschkofel",
        "Quellhofer", "Rosskarer", "Steinrisser", "Tuxmoser", "Unterplattner", "Viggartner", "Wildseer", "Zirmbacher",
        "Almrauter", "Bergisler", "Dengelstein", "Fernpassl", "Grauspitzer", "Hochlahner",
    ),
    streets=("Gewerbepark", "Innstraße", "Schotterwerkweg", "Bahnhofstraße", "Am Lehen", "Achenweg", "Dorfplatz",
             "Unterdorf", "Sonnbichl", "Industriezone"),
    salespeople=("Sara Vogt", "Lukas Erler", "Theresa Anker"),
    technicians=("M. Kranebitter", "S. Egger", "J. Holzknecht"),
)  # fmt: skip

REGIONS = {"D001": _NORTH_HESSE, "D002": _TYROL}

# (what follows the name, industry, how many machines, which kinds it buys)
TRADES: tuple[tuple[str, str, tuple[int, int], tuple[str, ...]], ...] = (
    ("Tiefbau GmbH", "civil engineering", (4, 9), ("excavator", "loader", "roller")),
    ("Straßenbau GmbH & Co. KG", "road building", (4, 8), ("roller", "loader", "excavator")),
    ("Garten- und Landschaftsbau", "landscaping", (2, 4), ("mini", "compact", "skid")),
    ("Erdbau", "earthmoving", (3, 6), ("excavator", "dumper", "roller")),
    ("Abbruch und Recycling GmbH", "demolition", (3, 6), ("excavator", "skid", "telehandler")),
    ("Agrarservice", "agriculture", (2, 4), ("telehandler", "compact")),
    ("Baumaschinenverleih", "rental", (5, 9), ("mini", "compact", "skid", "telehandler", "roller")),
    ("Kies und Sand GmbH", "quarry", (2, 4), ("loader", "crawler")),
    ("Kabelbau GmbH", "cable laying", (2, 4), ("mini", "backhoe")),
    ("Holzhandel", "timber", (1, 3), ("loader", "telehandler")),
    ("Bau GmbH", "building", (2, 5), ("backhoe", "mini", "telehandler", "dumper")),
)

FIRST_NAMES_W = (
    "Andrea", "Birgit", "Carola", "Doris", "Elke", "Franziska", "Gudrun", "Heike", "Ines", "Jana", "Katrin", "Lena",
    "Martina", "Nadine", "Petra", "Renate", "Silke", "Tanja", "Ulrike", "Verena", "Waltraud", "Yvonne", "Anna", "Maria",
)  # fmt: skip
FIRST_NAMES_M = (
    "Andreas", "Bernd", "Christian", "Dieter", "Erwin", "Florian", "Georg", "Holger", "Ingo", "Jürgen", "Karl", "Lars",
    "Markus", "Norbert", "Olaf", "Peter", "Ralf", "Stefan", "Thomas", "Uwe", "Volker", "Wolfgang", "Josef", "Hannes",
)  # fmt: skip
FAMILY_NAMES = (
    "Albers", "Bauer", "Conrad", "Dietz", "Ebert", "Fuchs", "Graf", "Hofer", "Iwan", "Jung", "Kaiser", "Lang", "Mayer",
    "Neumann", "Ortner", "Pichler", "Quandt", "Richter", "Sommer", "Thaler", "Unger", "Vogel", "Weber", "Ziegler",
    "Haas", "Krug", "Moser", "Rainer", "Steiner", "Winter", "Egger", "Kern", "Baumann", "Schmid", "Lechner", "Roth",
)  # fmt: skip
FLOWERS = (
    "white freesias",
    "yellow roses, never red",
    "sunflowers",
    "tulips from the market, any colour but pink",
    "peonies when they are in season",
    "no cut flowers, she likes orchids in a pot",
    "gerberas",
    "lilies of the valley",
    "a mixed bunch with lavender",
    "blue hyacinths",
    "dahlias from a farm, not the florist's",
    "white lilies",
    "ranunculus",
    "hydrangea for the garden",
    "no flowers please, good chocolate",
    "carnations, he laughs but likes them",
    "asters",
    "anemones",
)
FAMILY = (
    "Two daughters, the elder studies in Marburg.",
    "Son Paul drives the mini excavator on Saturdays.",
    "Married, three boys, all of them play handball.",
    "Just became a grandmother.",
    "Dog called Rocky, always in the cab.",
    "Husband works at the savings bank.",
    "Wife keeps bees; a jar of honey is always on the desk.",
    "Twins, born in spring.",
    "Cares for the mother, better not to call before nine.",
    "Sings in the church choir.",
    "Daughter starts her apprenticeship in our workshop next autumn.",
    "Plays the accordion in the village band.",
    "Goes skiing with the whole family in the first week of March.",
    "",
)
KEEPSAKE_NOTES = (
    "Takes coffee black and at once.",
    "Vegetarian: remember at the open day.",
    "Collects old enamel signs.",
    "Was a driver himself, do not explain hydraulics to him.",
    "Prefers to be rung on the mobile after four.",
    "Fan of the local ice hockey team.",
    "Likes a handwritten card more than anything we could buy.",
    "Allergic to nuts.",
    "Asks after my mother every time.",
    "",
    "",
    "",
)
