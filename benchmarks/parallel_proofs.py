"""Two proofs at a time in one process: how much more gets done than with one at a time."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.proofing import five_seconds, prove, timed
from benchmarks.report import peak_memory_mb, report
from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.wiring import Platform

ROUNDS = 3
GOAL = 1.7


def main() -> None:
    """Alternate one proof alone and two in parallel; throughput is proofs a second."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        clip = five_seconds(Path(folder))
        platform = Platform(sandbox_settings(Path(folder)))
        prove(platform, clip)

        def two() -> None:
            list(pool.map(lambda _: prove(platform, clip), range(2)))

        two()  # the second interpreter of each stateful engine
        alone, together = [], []
        for _ in range(ROUNDS):
            alone.append(timed(lambda: prove(platform, clip)))
            together.append(timed(two))
    report(
        "parallel_proofs",
        2 * median(alone) / median(together),
        GOAL,
        "at_least",
        one_seconds=round(median(alone), 2),
        two_seconds=round(median(together), 2),
        peak_memory_mb=round(peak_memory_mb()),
    )


if __name__ == "__main__":
    main()
