"""How long `shiming --help` takes beside a bare interpreter that prints with the same two libraries.

The reference imports typer and rich and prints one line: what any such command line costs at least.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.report import report

ROUNDS = 9
GOAL = 1.6
REFERENCE = (
    "import typer, typer.rich_utils, rich.console, rich.panel, rich.table; rich.console.Console().print('x')"
)


def seconds(*command: str) -> float:
    """Return the wall time of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Alternate the two, compare medians."""
    shiming = shutil.which("shiming", path=str(Path(sys.executable).parent)) or "shiming"
    ours, reference = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(shiming, "--help"))
        reference.append(seconds(sys.executable, "-c", REFERENCE))
    report(
        "startup",
        median(ours) / median(reference),
        GOAL,
        "at_most",
        help_seconds=round(median(ours), 3),
        help_seconds_goal=0.4,
        reference_seconds=round(median(reference), 3),
    )


if __name__ == "__main__":
    main()
