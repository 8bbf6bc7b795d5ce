"""The store over TLS with a certificate of its own: who knows that certificate talks to it, and to nobody else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from couch_requests import ADMIN, Couch

import embedded
from app.couch import Store, StoreError
from app.couch.certificates import fingerprint, shown_certificate, trusting_only
from app.errors import ConfigurationError
from app.security.certificates import own_certificate
from embedded.replicator.http_transport import HttpTransport
from embedded.replicator.request import Side
from embedded.replicator.transport import LostConnection
from embedded.server_process import Encrypted, StartError, check_certificate


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def _only_embedded(couch: Couch) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB's TLS is set up by whoever runs it.")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    return [own_certificate(tmp_path_factory.mktemp("certificate")) for _ in range(2)]


@pytest.fixture(scope="module")
def address(certificates: list[tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a store answers over TLS with the first of the certificates."""
    port = free_port()
    folder = tmp_path_factory.mktemp("store")
    with embedded.start(folder, admin=ADMIN, encrypted=("127.0.0.1", port, *certificates[0])):
        yield f"https://127.0.0.1:{port}"


def text(certificate: tuple[Path, Path]) -> str:
    return certificate[0].read_text()


def test_who_knows_the_certificate_reads_and_writes(address: str, certificates: list[tuple[Path, Path]]) -> None:
    store = Store(address, *ADMIN, certificate=text(certificates[0]))
    store.create("book")
    rev = store.database("book").put({"_id": "a", "type": "note"})
    assert (store.database("book").get("a") or {})["_rev"] == rev


def test_another_certificate_is_not_accepted_by_the_application(
    address: str, certificates: list[tuple[Path, Path]]
) -> None:
    with pytest.raises(StoreError, match="certificate"):
        Store(address, *ADMIN, certificate=text(certificates[1])).version()


def test_without_the_certificate_only_known_authorities_are_trusted(address: str) -> None:
    with pytest.raises(StoreError, match="certificate"):
        Store(address, *ADMIN).version()


def test_the_server_shows_the_certificate_it_has(address: str, certificates: list[tuple[Path, Path]]) -> None:
    assert fingerprint(shown_certificate(address)) == fingerprint(text(certificates[0]))
    assert fingerprint(text(certificates[0])) != fingerprint(text(certificates[1]))


def test_a_store_replicates_with_the_server_of_this_certificate_and_no_other(
    couch: Couch, db: str, address: str, certificates: list[tuple[Path, Path]]
) -> None:
    Store(address, *ADMIN, certificate=text(certificates[0])).create("target")
    couch.put(f"{db}/a", {"type": "note"})
    own = Store(couch.url, *ADMIN)
    right = Store(address, *ADMIN, certificate=text(certificates[0]))
    wrong = Store(address, *ADMIN, certificate=text(certificates[1]))
    with pytest.raises(StoreError, match="certificate"):
        own.replicate(db.strip("/"), wrong.endpoint("target"), retries_per_request=0)
    assert right.database("target").get("a") is None
    assert own.replicate(db.strip("/"), right.endpoint("target"))["ok"]
    assert right.database("target").get("a") is not None


def test_the_replicator_offers_no_password_to_a_server_of_another_certificate(
    address: str, certificates: list[tuple[Path, Path]]
) -> None:
    transport = HttpTransport(Side(f"{address}/target/", user="u", password="p", certificate=text(certificates[1])), 5)
    with pytest.raises(LostConnection, match="certificate"):
        transport.ask("GET", "")


def test_a_certificate_is_made_once_and_its_key_is_for_its_owner(tmp_path: Path) -> None:
    certificate, key = own_certificate(tmp_path / "tls")
    made = certificate.read_bytes()
    assert own_certificate(tmp_path / "tls")[0].read_bytes() == made
    # Windows keeps its rights elsewhere: the data folder is the user's own there.
    assert os.name == "nt" or key.stat().st_mode & 0o077 == 0


def test_a_folder_that_takes_no_certificate_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        own_certificate(tmp_path / "tls")


def test_what_is_no_certificate_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("hello")
    with pytest.raises(StartError, match="not a certificate and its private key"):
        check_certificate(Encrypted("127.0.0.1", 0, tmp_path / "c", tmp_path / "c"))
    with pytest.raises(StartError, match="cannot be read"):
        check_certificate(Encrypted("127.0.0.1", 0, tmp_path / "none", tmp_path / "none"))
    with pytest.raises(ValueError, match="not a certificate"):
        trusting_only("hello")


def test_a_replication_with_an_unreadable_certificate_is_a_bad_request(couch: Couch, db: str) -> None:
    side = {"url": "https://127.0.0.1:1/x", "tls": {"certificate": "hello"}}
    answer = couch.post("/_replicate", {"source": side, "target": db.strip("/")})
    assert answer.status == 400
    assert "not a certificate" in answer.json()["reason"]
