"""Run a fuzzing harness for a bounded number of inputs."""

import subprocess
import sys
from pathlib import Path

import pytest

ALLOCATION_MB_MAX = 256  # of one input: a parser that asks for more was talked into it
SECONDS_MAX = 300


def finds_nothing(harness: Path, folder: Path, *, runs: int, longest: int) -> None:
    """Fail with what libFuzzer says when an input of up to `longest` bytes breaks the harness."""
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform")
    # the memory that a process is said to have used begins with that of the one that started it: a test run
    # with models is beyond libFuzzer's limit before the first input, so that single allocations are limited
    limits = [f"-max_len={longest}", "-rss_limit_mb=0", f"-malloc_limit_mb={ALLOCATION_MB_MAX}"]
    finished = subprocess.run(  # noqa: S603 - our own harness
        [sys.executable, str(harness), f"-runs={runs}", "-seed=1", *limits],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert f"Done {runs} runs" in finished.stderr
