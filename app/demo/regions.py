"""Where the demo's two dealers work: real towns with their coordinates, and names of nobody's company."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Town:
    """A town by name, with its postcode, area code and the position of its middle in degrees."""

    name: str
    postcode: str
    area: str
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
    parts_manager: str
    principal: str
    technicians: tuple[str, ...]


_NORTH_HESSE = Region(
    country="Germany",
    phone="+49",
    towns=(
        Town("Kassel", "34117", "561", 51.312, 9.481),
        Town("Baunatal", "34225", "561", 51.255, 9.410),
        Town("Vellmar", "34246", "561", 51.356, 9.472),
        Town("Fritzlar", "34560", "5622", 51.132, 9.276),
        Town("Melsungen", "34212", "5661", 51.130, 9.548),
        Town("Hofgeismar", "34369", "5671", 51.496, 9.385),
        Town("Wolfhagen", "34466", "5692", 51.327, 9.170),
        Town("Homberg (Efze)", "34576", "5681", 51.034, 9.405),
        Town("Eschwege", "37269", "5651", 51.187, 10.053),
        Town("Witzenhausen", "37213", "5542", 51.342, 9.857),
        Town("Korbach", "34497", "5631", 51.273, 8.873),
        Town("Bad Arolsen", "34454", "5691", 51.382, 9.018),
        Town("Warburg", "34414", "5641", 51.489, 9.146),
        Town("Göttingen", "37073", "551", 51.541, 9.916),
        Town("Hann. Münden", "34346", "5541", 51.417, 9.651),
        Town("Bad Hersfeld", "36251", "6621", 50.868, 9.706),
        Town("Rotenburg an der Fulda", "36199", "6623", 50.995, 9.727),
        Town("Bebra", "36179", "6622", 50.971, 9.790),
        Town("Schwalmstadt", "34613", "6691", 50.917, 9.211),
        Town("Bad Wildungen", "34537", "5621", 51.119, 9.124),
        Town("Northeim", "37154", "5551", 51.706, 10.000),
        Town("Uslar", "37170", "5571", 51.661, 9.635),
        Town("Hessisch Lichtenau", "37235", "5602", 51.199, 9.718),
        Town("Sontra", "36205", "5653", 51.072, 9.933),
    ),
    surnames=(
        "Kettwich", "Aspelmeier", "Brennholt", "Dörnfeld", "Eschkamp", "Freymuth", "Gieseloh", "Habichtsberg",
        "Illenrath", "Jesterkamp", "Krummacker", "Lohrbeck", "Mengershaus", "Nolteberg", "Ossenkopp", "Pflugbeil",
        "Querfurter", "Riethmark", "Söhrewald", "Trendelhoff", "Uhlendahl", "Volkmarsen", "Wiegershof", "Zierenberg",
        "Altmüthen", "Bracklage", "Clausholt", "Diemelstein", "Edertaler", "Fuldenbach", "Grebenhain", "Hillebracht",
        "Isemann", "Kaufungen", "Lüttersberg", "Meißnerhoff", "Netzeband", "Oberkamp", "Rehlinghaus", "Schwalmer",
        "Twistemann", "Urffbach", "Wehretal", "Wollrodt",
    ),
    streets=("Am Steinbruch", "Industriestraße", "Kiesweg", "Zum Bauhof", "Lange Straße", "An der Kläranlage",
             "Werrastraße", "Hinter dem Bahnhof", "Mühlenfeld", "Gewerbepark"),
    salespeople=("Sara Vogt", "Jonas Weidner", "Miriam Kolbe"),
    parts_manager="Peter Brandl",
    principal="Petra Hartwig",
    technicians=("R. Stahl", "D. Özkan", "T. Fehr", "L. Brede"),
)  # fmt: skip

_TYROL = Region(
    country="Austria",
    phone="+43",
    towns=(
        Town("Innsbruck", "6020", "512", 47.269, 11.404),
        Town("Hall in Tirol", "6060", "5223", 47.281, 11.507),
        Town("Schwaz", "6130", "5242", 47.346, 11.708),
        Town("Wörgl", "6300", "5332", 47.489, 12.066),
        Town("Kufstein", "6330", "5372", 47.583, 12.169),
        Town("Kitzbühel", "6370", "5356", 47.446, 12.392),
        Town("St. Johann in Tirol", "6380", "5352", 47.523, 12.425),
        Town("Imst", "6460", "5412", 47.245, 10.739),
        Town("Landeck", "6500", "5442", 47.140, 10.567),
        Town("Telfs", "6410", "5262", 47.307, 11.072),
        Town("Reutte", "6600", "5672", 47.489, 10.718),
        Town("Lienz", "9900", "4852", 46.829, 12.769),
        Town("Jenbach", "6200", "5244", 47.392, 11.772),
        Town("Zell am Ziller", "6280", "5282", 47.232, 11.882),
        Town("Mayrhofen", "6290", "5285", 47.167, 11.865),
        Town("Matrei am Brenner", "6143", "5273", 47.128, 11.452),
        Town("Zirl", "6170", "5238", 47.273, 11.241),
        Town("Seefeld in Tirol", "6100", "5212", 47.330, 11.188),
        Town("Brixlegg", "6230", "5337", 47.430, 11.878),
        Town("Hopfgarten", "6361", "5335", 47.450, 12.157),
        Town("Ehrwald", "6632", "5673", 47.399, 10.920),
        Town("Nauders", "6543", "5473", 46.890, 10.503),
        Town("Oetz", "6433", "5252", 47.203, 10.892),
        Town("Fulpmes", "6166", "5225", 47.152, 11.349),
    ),
    surnames=(
        "Aschbichl", "Brandnock", "Christlwand", "Dornegger", "Ebenspitzer", "Falkmoser", "Gschwandhof", "Hinterlechl",
        "Innerkofl", "Jochbauer", "Karlschmied", "Lärchfelder", "Mutspitz", "Niederalmer", "Oberwandl", "Patschkofel",
        "Quellhofer", "Rosskarer", "Steinrisser", "Tuxmoser", "Unterplattner", "Viggartner", "Wildseer", "Zirmbacher",
        "Almrauter", "Bergisler", "Dengelstein", "Fernpassl", "Grauspitzer", "Hochlahner", "Ibexner", "Kaiserwald",
        "Laliderer", "Moosbichler", "Nordketter", "Ortnerhof", "Penkenauer", "Rotlechner", "Serleser", "Tannauer",
        "Umbrückler", "Vomperer", "Wattenspitz", "Zugspitzer",
    ),
    streets=("Gewerbepark", "Innstraße", "Schotterwerkweg", "Bahnhofstraße", "Am Lehen", "Achenweg", "Dorfplatz",
             "Unterdorf", "Sonnbichl", "Industriezone"),
    salespeople=("Sara Prantner", "Lukas Erler", "Theresa Anker"),
    parts_manager="Peter Wallner",
    principal="Petra Stöckl",
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
    "Ackermann", "Brunner", "Dorn", "Engel", "Franke", "Hartl", "Jäger", "Köhler", "Lindner", "Nagel", "Pohl", "Simon",
)  # fmt: skip
