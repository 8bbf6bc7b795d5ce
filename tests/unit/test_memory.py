"""What keeps the processes of a node small."""

import json
import os
import subprocess
import sys

from app.project import ROOT

HEAVY = {"pkg_resources", "setuptools", "hypothesis", "pytest", "playwright", "numpy", "mypy"}


def modules_of(statement: str) -> set[str]:
    """The modules of a process of its own that ran `statement`."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(ran.stdout)}


def test_serve_loads_nothing_that_only_tests_and_installers_need():
    loaded = modules_of("import app.commands.serve, app.node, app.couch, app.replication.schedule, app.web")
    assert "flask" in loaded
    assert not loaded & HEAVY


def test_the_store_loads_nothing_of_the_pages():
    loaded = modules_of("import embedded.server_process, embedded.server as server; server.collect_routes()")
    assert "uvicorn" in loaded
    assert not loaded & (HEAVY | {"app", "flask", "jinja2", "couchdb", "apscheduler", "waitress", "argon2"})
    assert not loaded & {"urllib3"}  # before it replicates


def test_sharing_one_heap_is_harmless_wherever_it_is_asked_for():
    program = (
        "from app.memory import share_one_heap; share_one_heap()\n"
        "import threading\n"
        "kept = []\n"
        "threads = [threading.Thread(target=lambda: kept.append(len(bytes(3_000_000)))) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(sum(kept))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "24000000"
