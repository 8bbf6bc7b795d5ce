"""A store may open as many files as its system lets it."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource
from embedded.server_process import allow_many_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (128, {hard}))
allow_many_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit.")
@pytest.mark.parametrize(("hard", "expected"), [("300", ["300", "300"]), ("hard", None)])
def test_a_store_raises_the_limit_of_open_files_as_far_as_it_may(hard: str, expected: list[str] | None) -> None:
    done = subprocess.run([sys.executable, "-c", CODE.format(hard=hard)], capture_output=True, text=True, check=True)
    soft, highest = done.stdout.split()
    assert [soft, highest] == (expected or [str(min(4096, int(highest))) if int(highest) > 0 else "4096", highest])
