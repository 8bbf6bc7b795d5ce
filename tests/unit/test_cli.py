"""The command line: every command is there, and what is wrong gets a sentence and exit code 2."""

import importlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
import pytest
from filelock import FileLock

from app import cli


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_listed_command_exists_and_explains_itself(name):
    command = importlib.import_module(f"app.commands.{cli.COMMANDS[name][0]}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", ["connection", "dealer", "user", "sync", "design", "bench", "import"])
def test_a_groups_list_of_commands_is_shown_whole(capsys, name):
    code, shown = run(capsys, name, "--help")
    assert code == 0
    assert "Commands:" in shown.out
    assert not [line for line in shown.out.splitlines() if line.endswith("...") and "Usage" not in line]


def test_an_unknown_command_exits_2_and_names_it(capsys):
    code, shown = run(capsys, "fly")
    assert code == 2
    assert "No such command 'fly'" in shown.err


def test_a_wrong_setting_exits_2_with_one_sentence(capsys, tmp_path):
    (tmp_path / "config.toml").write_text('[node]\nrole = "boss"\n', encoding="utf-8")
    code, shown = run(capsys, "serve", "--data", str(tmp_path))
    assert code == 2
    assert shown.err.startswith("ironbook: ")
    assert shown.err.count("\n") == 1


def test_an_occupied_port_exits_2_before_anything_is_made(capsys, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, shown = run(capsys, "serve", "--data", str(tmp_path / "node"), "--port", str(port))
    assert code == 2
    assert f"Port {port}" in shown.err
    assert not (tmp_path / "node").exists()


def test_a_data_folder_that_is_a_file_exits_2_and_says_so(capsys, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    code, shown = run(capsys, "doctor", "--data", str(tmp_path / "file"))
    assert code == 2
    assert "is a file" in shown.err


def test_a_data_folder_inside_a_file_exits_2_and_says_what_to_do(capsys, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    code, shown = run(capsys, "user", "list", "--data", str(tmp_path / "file" / "node"))
    assert code == 2
    assert "cannot be written to" in shown.err
    assert "--data" in shown.err


def test_the_store_that_nobody_answers_for_exits_2_with_its_address(capsys, tmp_path, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "config.toml").write_text(f'[store]\nurl = "http://127.0.0.1:{port}"\n', encoding="utf-8")
    monkeypatch.setenv("IRONBOOK_STORE_PASSWORD", "a-password-nobody-has")
    code, shown = run(capsys, "user", "list", "--data", str(tmp_path))
    assert code == 2
    assert str(port) in shown.err
    assert "a-password-nobody-has" not in shown.err


class Pretender(BaseHTTPRequestHandler):
    """Answers every request with the same JSON, as something that is no store may."""

    answer = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    do_PUT = do_POST = do_GET  # noqa: N815 - the names http.server calls

    def log_message(self, *words):
        pass


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'{"couchdb":"Welcome","version":"1.7.2"}', "is of version 1.7.2, and Ironbook needs CouchDB 3"),
        (b'{"couchdb":"Welcome"}', "is of version unknown"),
        (b'{"couchdb":"Welcome","version":"3.5.0"}', "is not a store"),
        (b"[1, 2]", "is not a store"),
        (b"<!doctype html><h1>Sign in to the network</h1>", "is not a store"),
    ],
)
def test_what_is_no_store_or_too_old_exits_2_with_one_sentence(capsys, tmp_path, monkeypatch, answer, says):
    handler = type("Handler", (Pretender,), {"answer": answer})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "config.toml").write_text(f'[store]\nurl = "http://127.0.0.1:{server.server_port}"\n')
        monkeypatch.setenv("IRONBOOK_STORE_PASSWORD", "any")
        code, shown = run(capsys, "user", "list", "--data", str(tmp_path))
        server.shutdown()
    assert code == 2
    assert says in shown.err
    assert ".." not in shown.err
    assert shown.err.count("\n") == 1


def test_a_fault_of_our_own_is_a_sentence_and_exit_code_3(capsys, monkeypatch):
    monkeypatch.setitem(cli.COMMANDS, "doctor", ("testing", "A module whose command has another name."))
    monkeypatch.setattr(importlib.import_module("app.commands.testing"), "command", None)
    monkeypatch.delenv("IRONBOOK_TRACEBACK", raising=False)
    code, shown = run(capsys, "doctor")
    assert code == 3
    assert "did not expect" in shown.err
    assert "Traceback" not in shown.err


def test_a_folder_that_is_served_already_exits_2_and_says_so(capsys, tmp_path):
    (tmp_path / "locks").mkdir()
    with FileLock(str(tmp_path / "locks" / "serve.lock")):
        code, shown = run(capsys, "serve", "--data", str(tmp_path), "--port", "0")
    assert code == 2
    assert "is served already by another process" in shown.err
    assert not (tmp_path / "store").exists()
