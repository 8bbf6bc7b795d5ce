"""Settings: what config.toml and the environment say, and a sentence for what cannot work."""

import re

import pytest

from app.config import read_settings
from app.errors import ConfigurationError
from app.project import ROOT


def settings_from(tmp_path, text, environ=None):
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    return read_settings(tmp_path, environ or {})


def test_the_projects_defaults_are_a_dealer_on_loopback(tmp_path):
    settings = read_settings(tmp_path, {})
    assert (settings.role, settings.dealer, settings.web_host, settings.embedded) == (
        "dealer",
        "D001",
        "127.0.0.1",
        True,
    )
    assert settings.store_host == "127.0.0.1"
    assert settings.data == tmp_path


def test_every_setting_says_on_its_own_line_what_it_does():
    lines = (ROOT / "config.toml").read_text(encoding="utf-8").splitlines()
    settings = [line for line in lines if re.match(r"(# )?[a-z_]+ = ", line)]
    assert len(settings) > 20
    assert [line for line in settings if "#" not in line[2:]] == ['# name = "manufacturer"']


def test_the_data_folders_file_overrides_setting_by_setting_and_the_environment_overrides_both(tmp_path):
    text = '[node]\nname = "Depot"\n[web]\nport = 9000\n'
    settings = settings_from(tmp_path, text, {"IRONBOOK_WEB_PORT": "9001", "IRONBOOK_NODE_DEALER": "D7"})
    assert (settings.name, settings.web_port, settings.dealer, settings.role) == ("Depot", 9001, "D7", "dealer")


def test_connections_are_read_with_their_defaults(tmp_path):
    text = '[[connections]]\nname = "head"\nurl = "http://127.0.0.1:5984"\nuser = "dealer-d001"\n'
    (connection,) = settings_from(tmp_path, text).connections
    assert (connection.name, connection.catalog, connection.share, connection.every_minutes) == (
        "head",
        "catalog",
        "manufacturer",
        15,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[node\n", "is not valid TOML"),
        ("[nodes]\n", "there is no section [nodes]"),
        ("node = 3\n", "there is no section [node]"),
        ('[node]\nrolle = "dealer"\n', "[node] has no setting 'rolle'"),
        ('[web]\nport = "8040"\n', "web.port must be a whole number"),
        ("[web]\nport = true\n", "web.port must be a whole number"),
        ("[web]\nport = 70000\n", "web.port must be between 0 and 65535"),
        ("[web]\nsession_hours = 0\n", "web.session_hours must be between 1 and 8760"),
        ('[node]\nrole = "boss"\n', 'node.role must be "dealer" or "manufacturer"'),
        ('[node]\ndealer = "d 1"\n', "node.dealer must be a capital letter"),
        ('[node]\ntime_zone = "Mars/Olympus"\n', "node.time_zone must be a name such as"),
        ("[web]\nsession_hours = 99999999999999\n", "web.session_hours must be between 1 and 8760"),
        ("[parts]\nhorizon_days = 99999999999\n", "parts.horizon_days must be between 1 and 3650"),
        ('[node]\ntime_zone = "Europe"\n', "node.time_zone must be a name such as"),
        ('[node]\nname = " "\n', "node.name must be a text of 1 to 80 visible characters"),
        ('[node]\ncurrency = "\\u0007"\n', "node.currency must be a text of 1 to 8 visible characters"),
        ('[store]\nuser = "a:b"\n', "store.user must be a user's name"),
        ('[store]\nurl = "http://host/?a=b"\n', "store.url must be an address without ?"),
        ("connections = [3]\n", "connections are tables headed [[connections]]"),
        ('[[connections]]\nname = "x"\nurl = "http://h"\nuser = "a:b"\n', "connection 1: user must be a user's name"),
        ('[store]\nurl = "couch"\n', "store.url must be an address such as"),
        ('[store]\nurl = "http://admin:secret@host:5984"\n', "store.url must not hold a user or password"),
        ('[store]\nprefix = "Big"\n', "store.prefix must begin with a small letter"),
        ('[log]\nlevel = "loud"\n', "log.level must be one of"),
        ("[connections]\n", "connections are tables headed [[connections]]"),
        ('[[connections]]\nname = "x"\n', "connection 1 needs a value for url"),
        ('[[connections]]\nname = "x"\nurl = "ftp://h"\nuser = "u"\n', "url must be an address"),
        ('[[connections]]\nname = "X y"\nurl = "http://h"\nuser = "u"\n', "name must be small letters"),
        ('[[connections]]\nname = "x"\nurl = "http://h"\nuser = "u"\nshare = "all"\n', "share must be"),
        ('[[connections]]\nname = "x"\nurl = "http://h"\nuser = "u"\nevery_minutes = -1\n', "every_minutes must be"),
        ('[[connections]]\nname = "x"\nurl = "http://h"\nuser = "u"\npassword = "p"\n', "unknown setting 'password'"),
    ],
)
def test_a_wrong_setting_gets_a_sentence_that_names_it(tmp_path, text, says):
    with pytest.raises(ConfigurationError) as raised:
        settings_from(tmp_path, text)
    assert says in str(raised.value)
    assert "secret" not in str(raised.value) or "secrets.json" in str(raised.value)


def test_two_connections_of_one_name_are_refused(tmp_path):
    one = '[[connections]]\nname = "x"\nurl = "http://h"\nuser = "u"\n'
    with pytest.raises(ConfigurationError, match="two connections are named 'x'"):
        settings_from(tmp_path, one + one)


def test_a_word_where_the_environment_needs_a_number_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="IRONBOOK_WEB_PORT must be a whole number, not 'many'"):
        read_settings(tmp_path, {"IRONBOOK_WEB_PORT": "many"})


def test_a_mark_that_windows_puts_in_front_is_no_error(tmp_path):
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbf[node]\nname = "Depot"\n')
    assert read_settings(tmp_path, {}).name == "Depot"


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00n\x00", b"\x80\x81"])
def test_a_file_in_another_encoding_is_said_to_be_one(tmp_path, content):
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        read_settings(tmp_path, {})


def test_a_folder_in_the_files_place_is_not_passed_over(tmp_path):
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings(tmp_path, {})
