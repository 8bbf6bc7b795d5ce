"""secrets.json: only its owner can read it, and it is never half written."""

import json
import os
import stat

import pytest

from app.errors import ConfigurationError
from app.secrets import Secrets


def test_a_secret_is_kept_for_the_next_process(tmp_path):
    made = Secrets(tmp_path).get_or_make("store")
    assert len(made) >= 32
    assert Secrets(tmp_path).get("store") == made
    assert Secrets(tmp_path).get_or_make("store") == made


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights in access lists, not in the mode")
def test_only_the_owner_can_read_the_file(tmp_path):
    secrets = Secrets(tmp_path)
    secrets.set("connection:head", "a password")
    assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600


def test_a_removed_secret_is_gone_and_the_others_stay(tmp_path):
    secrets = Secrets(tmp_path)
    secrets.set("one", "1")
    secrets.set("two", "2")
    secrets.remove("one")
    assert json.loads(secrets.path.read_text(encoding="utf-8")) == {"two": "2"}


@pytest.mark.parametrize("content", ["{", "[]", '{"store": 5}'])
def test_a_damaged_file_gets_a_sentence_and_is_not_overwritten(tmp_path, content):
    secrets = Secrets(tmp_path)
    secrets.path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"secrets\.json"):
        secrets.get_or_make("store")
    assert secrets.path.read_text(encoding="utf-8") == content
