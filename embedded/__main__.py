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
import sys
from pathlib import Path

from embedded.server_process import FolderInUseError, StartError, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded", description="The embedded store by itself.")
    parser.add_argument("--dir", required=True, type=Path, help="data folder; made when it is not there")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=5984, type=int, help="0 takes a free one")
    parser.add_argument("--child", action="store_true", help="started by another program: see the module's text")
    arguments = parser.parse_args()
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
    try:
        serve(arguments.dir, arguments.host, arguments.port, admins, _tell, stop_when_closed=descriptor)
    except StartError as error:
        print(json.dumps({"error": str(error), "in_use": isinstance(error, FolderInUseError)}), flush=True)
        return 2
    return 0


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
        )
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
