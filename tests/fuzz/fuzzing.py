"""Run a fuzzing harness for a bounded number of inputs."""

import subprocess
import sys
from pathlib import Path

import pytest

MEMORY_MB_MAX = 1024  # of the harness: a parser that makes it grow so far was talked into it
SECONDS_MAX = 300
#: The memory that a process is said to have used begins with that of the one that started it. A test run with
#: models has used gigabytes, a shell has not.
_BY_A_SHELL = ("/bin/sh", "-c", '"$@"; exit $?', "sh")


def finds_nothing(harness: Path, folder: Path, *, runs: int, longest: int) -> None:
    """Fail with what libFuzzer says when an input of up to `longest` bytes breaks the harness."""
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform")
    limits = ["-seed=1", f"-max_len={longest}", f"-rss_limit_mb={MEMORY_MB_MAX}"]
    finished = subprocess.run(  # noqa: S603 - our own harness
        [*_BY_A_SHELL, sys.executable, str(harness), f"-runs={runs}", *limits],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert f"Done {runs} runs" in finished.stderr
