import string

import pytest

from app.replication.failures import NEEDS_A_PERSON, SENTENCES, failure, kind_of

RECORDED = [
    (
        'error {http_request_failed,"GET","http://127.0.0.1:9/x/",\n{error,{error,{conn_failed,{error,econnrefused}}}}}',
        "no_network",
    ),
    (
        'error {http_request_failed,"GET","http://hq.example/x/", {error,{error,{conn_failed,{error,nxdomain}}}}}',
        "no_network",
    ),
    (
        'replication_auth_error {session_request_unauthorized,"http://127.0.0.1:5984/_session","admin"}',
        "wrong_password",
    ),
    ("unauthorized Name or password is incorrect.", "wrong_password"),
    ("403 Account is temporarily locked due to multiple authentication failures", "locked"),
    ("db_not_found could not open http://127.0.0.1:5984/rec_t/", "missing"),
    ("not_found Database does not exist.", "missing"),
    ("forbidden You are not allowed to access this db.", "forbidden"),
    ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate", "certificate"),
    ("{tls_alert,{certificate_expired,...}}", "certificate_date"),
    ("certificate verify failed: certificate is not yet valid (_ssl.c:1006)", "certificate_date"),
    ("[Errno 28] No space left on device", "disk_full"),
    ("database or disk is full", "disk_full"),
    ("document_too_large", "too_large"),
    ("503 service_unavailable", "busy"),
    ("[Errno 111] Connection refused", "no_network"),
    ("<!DOCTYPE html><title>Hotel Wi-Fi</title>", "not_couchdb"),
    ("error http://hq:5984/book/ could not be reached: nobody answers at this address.", "no_network"),
    ("error http://hq:5984/book/ does not answer like a CouchDB: it answered HTML.", "not_couchdb"),
    ("something nobody has seen before", "unknown"),
]


@pytest.mark.parametrize(("words", "kind"), RECORDED)
def test_what_a_store_says_is_understood(words: str, kind: str) -> None:
    assert kind_of(words) == kind


@pytest.mark.parametrize("kind", SENTENCES)
def test_every_failure_is_a_sentence_with_the_address_and_what_to_do(kind: str) -> None:
    said = failure(kind, "https://hq.example", "dealer-d001", "because.")
    assert said.sentence[0] in string.ascii_letters
    assert said.sentence.endswith(".")
    assert "{" not in said.sentence
    assert len(said.sentence.split()) >= 8


def test_only_what_could_lock_an_account_needs_a_person() -> None:
    assert {kind for kind in SENTENCES if failure(kind, "a").needs_a_person} == NEEDS_A_PERSON
    assert "no_network" not in NEEDS_A_PERSON


def test_a_long_reason_in_erlang_is_shortened_to_one_line() -> None:
    said = failure("unknown", "https://hq.example", reason="{error,\n   {badmatch," + "x" * 5000)
    assert "\n" not in said.sentence
    assert len(said.sentence) < 400
