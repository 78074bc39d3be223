import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 3_000  # a few seconds; run the harness itself for longer
HARNESS = Path(__file__).with_name("fuzz_proofing.py")


def test_fuzzing_finds_nothing(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this platform")
    finished = subprocess.run(  # noqa: S603 - our own harness
        [sys.executable, str(HARNESS), f"-runs={RUNS}", "-seed=1", "-max_len=256"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert f"Done {RUNS} runs" in finished.stderr
