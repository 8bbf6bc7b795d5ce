"""`python -m embedded --dir DATA --port 5984`: the store by itself, in the foreground.

The admin comes from the environment (`IRONBOOK_STORE_ADMIN` and `IRONBOOK_STORE_PASSWORD`) or is asked for. With
`--child` it comes as one JSON line on standard input, the address is told as one JSON line on standard output, and the
store ends when standard input closes.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from embedded.server_process import Encrypted, FolderInUseError, StartError, serve
from embedded.server_settings import Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded", description="The embedded store by itself.")
    parser.add_argument("--dir", required=True, type=Path, help="data folder; made when it is not there")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=5984, type=int, help="0 takes a free one")
    parser.add_argument("--child", action="store_true", help="started by another program: see the module's text")
    parser.add_argument(
        "--cors-origin", action="append", default=[], help="web site that may ask from a browser; * for all"
    )
    parser.add_argument("--require-valid-user", action="store_true", help="nothing without signing in")
    parser.add_argument(
        "--largest-attachment",
        type=int,
        default=Settings().maximum_attachment,
        metavar="BYTES",
        help="larger ones are refused (%(default)s)",
    )
    parser.add_argument(
        "--request-timeout",
        type=float,
        default=Settings().request_timeout,
        metavar="SECONDS",
        help="a client that stops in the middle of a request is given up after them (%(default)s)",
    )
    parser.add_argument("--tls-host", default="127.0.0.1", help="a second address, on which it answers over TLS")
    parser.add_argument("--tls-port", default=6984, type=int)
    parser.add_argument("--certificate", type=Path, help="PEM file with the certificate for TLS and its chain")
    parser.add_argument("--key", type=Path, help="PEM file with the certificate's private key")
    arguments = parser.parse_args()
    if (arguments.certificate is None) != (arguments.key is None):
        parser.error("--certificate and --key go together")
    return _run_child(arguments) if arguments.child else _run(arguments)


def _run_child(arguments: argparse.Namespace) -> int:
    descriptor = sys.stdin.fileno()
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1)
        if not piece:
            return 2
        line += piece
    admins = json.loads(line)
    # Ctrl-C in a terminal reaches the whole group; this process ends when its parent has done with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve(
            arguments.dir,
            arguments.host,
            arguments.port,
            admins,
            _tell,
            descriptor,
            _settings(arguments),
            _encrypted(arguments),
        )
    except StartError as error:
        print(json.dumps({"error": str(error), "in_use": isinstance(error, FolderInUseError)}), flush=True)
        return 2
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        tuple(arguments.cors_origin),
        arguments.require_valid_user,
        arguments.largest_attachment,
        arguments.request_timeout,
    )


def _encrypted(arguments: argparse.Namespace) -> Encrypted | None:
    if arguments.certificate is None:
        return None
    return Encrypted(arguments.tls_host, arguments.tls_port, arguments.certificate, arguments.key)


def _tell(url: str) -> None:
    print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)


def _run(arguments: argparse.Namespace) -> int:
    name = os.environ.pop("IRONBOOK_STORE_ADMIN", "admin")
    password = os.environ.pop("IRONBOOK_STORE_PASSWORD", "")
    if not password and sys.stdin.isatty():
        password = getpass.getpass(f"Password for {name}: ")
    if not password:
        print(
            "There is no admin password. Set IRONBOOK_STORE_PASSWORD, or start in a terminal to be asked.",
            file=sys.stderr,
        )
        return 2
    try:
        serve(
            arguments.dir,
            arguments.host,
            arguments.port,
            {name: password},
            lambda url: print(f"The store is at {url}", flush=True),
            settings=_settings(arguments),
            encrypted=_encrypted(arguments),
        )
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _end(status: int) -> NoReturn:
    """Ends the process at once: the store is closed, and to take Python apart would take longer than all of that."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _end(main())
