"""How every benchmark ends: one object with name, ratio, goal, direction, and the figures behind it."""

import json
import resource
import sys
from typing import Any, Literal

KIBIBYTE = 1024


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE / 1e6


def report(
    name: str, ratio: float, goal: float, direction: Literal["at_least", "at_most"], **figures: Any
) -> None:
    """Print the result: one JSON object with `--json`, else a line for people."""
    met = ratio >= goal if direction == "at_least" else ratio <= goal
    if "--json" in sys.argv:
        print(
            json.dumps(
                {"name": name, "ratio": round(ratio, 3), "goal": goal, "direction": direction, **figures}
            )
        )
        return
    print(f"{name}: {ratio:.2f} ({direction.replace('_', ' ')} {goal}) - {'met' if met else 'MISSED'}")
    for key, value in figures.items():
        print(f"  {key}: {value}")
