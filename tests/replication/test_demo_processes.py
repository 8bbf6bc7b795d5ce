"""What ``ironbook demo`` leaves behind when it is stopped, and what it refuses: with real processes."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest

from app.demo.folders import DemoFolders
from app.project import ROOT

needs_posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def demo(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(*arguments, **environment):
    """The sentence with which the demo refuses to start."""
    with demo(*arguments, **environment) as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 2, (out, error)
    assert error.startswith("ironbook: ")
    assert error.count("\n") == 1
    return error


def free_ports():
    """The first of four ports in a row that nobody listens on, away from those that systems give out by themselves."""
    while True:
        first = random.randrange(15_000, 30_000, 4)
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in range(first, first + 4):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def processes_of(folder):
    """The processes that have the folder among their arguments, after those about to end had 20 s for it."""
    until = time.monotonic() + 20
    while True:
        listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        found = [line for line in listed.splitlines() if str(folder) in line]
        if not found or time.monotonic() > until:
            return found


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_stopped_while_it_fills_leaves_no_process_and_no_half_made_demo(number, tmp_path):
    folder = tmp_path / "demo"
    with demo("--folder", folder, "--port", free_ports()) as process:
        while "Filling the book" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        # A store that was its child holds the pipe until it has ended as well.
        rest = process.stderr.read()
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    assert "Traceback" not in rest
    assert processes_of(folder) == []
    assert not DemoFolders(folder).ready


@needs_posix
def test_a_node_ends_with_the_demo_that_started_it(tmp_path):
    data = tmp_path / "node"
    data.mkdir()
    (data / "config.toml").write_text('[node]\nrole = "dealer"\ndealer = "D001"\n[web]\nport = 0\n')
    served = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--with-parent", "--data", str(data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with served:
        assert " is at http://" in served.stdout.readline()
        served.stdin.close()
        assert served.wait(60) == 0
    assert processes_of(data) == []


def test_a_folder_that_is_not_a_demos_stays_as_it_is(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    sentence = refused("--folder", tmp_path, "--port", free_ports())
    assert "letters.txt, which is not the demo's" in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be" in refused("--folder", tmp_path / "file" / "demo", "--port", free_ports())


def test_two_demos_do_not_share_a_folder(tmp_path):
    with DemoFolders(tmp_path / "demo").held():
        assert "Another demo is running" in refused("--folder", tmp_path / "demo", "--once")


def test_an_occupied_port_is_a_sentence(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert f"Port {port} is occupied" in refused("--folder", tmp_path / "demo", "--port", min(port, 65500))


@pytest.mark.parametrize(
    "address", ["admin:hidden@127.0.0.1:5984", "ftp://admin:hidden@127.0.0.1", "http://a:hidden@:x"]
)
def test_an_address_that_cannot_be_is_refused_without_telling_the_password(address):
    assert "hidden" not in refused("--once", "--couchdb", address)


def test_nobody_listening_is_a_sentence(tmp_path):
    sentence = refused("--once", "--couchdb", f"http://admin:hidden@127.0.0.1:{free_ports()}")
    assert "does not answer" in sentence
    assert "hidden" not in sentence


def test_a_page_that_is_no_store_is_a_sentence(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        process = demo("--once", "--couchdb", f"http://admin:hidden@127.0.0.1:{listener.getsockname()[1]}")
        with process:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<h1/>")
            _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "is not a store" in error
    assert "hidden" not in error
