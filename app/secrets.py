"""Every password and key of a node: ``secrets.json`` in its data folder, readable by its owner only."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

from filelock import FileLock

from app.errors import ConfigurationError

STORE = "store"
SECRET_KEY = "secret_key"  # noqa: S105 - the name of the entry, not its value


def connection_entry(name: str) -> str:
    """The name of the entry that holds the password of the connection `name`."""
    return f"connection:{name}"


class Secrets:
    """Named secrets, kept in a file only its owner can read and replaced as a whole at every change."""

    def __init__(self, data: Path) -> None:
        self.path = data / "secrets.json"
        self._lock = FileLock(str(self.path) + ".lock")

    def get(self, name: str) -> str | None:
        """The secret called `name`, or None. Raises ConfigurationError when the file is damaged."""
        return self._read().get(name)

    def get_or_make(self, name: str) -> str:
        """The secret called `name`; a random one of 192 bits is made the first time."""
        found = self.get(name)
        if found:
            return found
        with self._lock:
            entries = self._read()
            if not entries.get(name):
                entries[name] = secrets.token_urlsafe(24)
                self._write(entries)
            return entries[name]

    def set(self, name: str, value: str) -> None:
        """Keeps `value` under `name`."""
        with self._lock:
            entries = self._read()
            if entries.get(name) != value:
                entries[name] = value
                self._write(entries)

    def remove(self, name: str) -> None:
        """Forgets the secret called `name`."""
        with self._lock:
            entries = self._read()
            if entries.pop(name, None) is not None:
                self._write(entries)

    def _read(self) -> dict[str, str]:
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise ConfigurationError(
                f"{self.path} is damaged ({error}); restore it from a backup, or remove it and set the passwords again."
            ) from error
        if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
            raise ConfigurationError(f"{self.path} must hold one JSON object of names and texts.")
        return entries

    def _write(self, entries: dict[str, str]) -> None:
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        # The mode is given at creation: there is no moment at which somebody else could open the file.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
