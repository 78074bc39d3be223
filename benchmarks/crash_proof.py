"""Crash proof, for as long as one likes: clients register over HTTP while every program is killed.

The harness and the promises are those of tests/entrypoints/test_crash_proof.py. The ratio is the share of
acknowledged registrations that are there exactly once; any other broken promise ends the run with an error.

python -m benchmarks.crash_proof [--engine sqlite|postgresql] [--kills 200] [--seed 1] [--anew] [--json]
"""

import argparse
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from benchmarks.report import report
from tests.databases import ENGINES, a_postgresql_database
from tests.entrypoints.crash_findings import examine
from tests.entrypoints.crash_programs import Nursery
from tests.entrypoints.crash_site import calamity

PEOPLE_A_KILL = 1  # so that caps are reached, and there is still somebody to register


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="postgresql")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--anew", action="store_true", help="start each program as a user does: slower")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    started = time.monotonic()
    place = a_postgresql_database() if chosen.engine == "postgresql" else nullcontext(None)
    with tempfile.TemporaryDirectory() as folder, place as url:
        nursery = Nursery(preloaded=not chosen.anew)
        run = calamity(
            nursery,
            Path(folder) / "site",
            url,
            kills=chosen.kills,
            seed=chosen.seed,
            people=PEOPLE_A_KILL * chosen.kills,
        )
        with run as found:
            counted = examine(found)
        nursery.close()
    report(
        f"crash proof, {chosen.engine}",
        counted["lines"] / counted["acknowledged"],
        1.0,
        "at_least",
        seconds=round(time.monotonic() - started),
        **{name.replace(" ", "_"): count for name, count in counted.items()},
    )


if __name__ == "__main__":
    main()
