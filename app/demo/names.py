"""Names as they stand in addresses."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """No capitals, no spaces, letters a to z: "Söhrewald Tiefbau" is ``soehrewald-tiefbau``."""
    spelled = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss").replace("&", "")
    ascii_only = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "-".join(word for word in "".join(c if c.isalnum() else " " for c in ascii_only).split())
