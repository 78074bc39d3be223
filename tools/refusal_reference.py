"""Write docs/reference/refusals.md: every refusal of the rules about lines, in words.

python -m tools.refusal_reference
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import shiming
from shiming.vocabulary.refusals import ReasonCode

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "refusals.md"
_HEAD = """# Refusals

What the rules about lines refuse, by its stable code. Over HTTP a refusal is `409` with every reason in
`details.reasons`; on the command line it is exit code 1. Each comes with the provision it rests on
(`source:article` of the pack), a text for the clerk, one for the subscriber, and what to do next, in Chinese
and English. Written by `python -m tools.refusal_reference`; a test holds it to the code.

"""


def families() -> Iterator[type[ReasonCode]]:
    """Yield every enumeration of refusals, by module and name."""
    for found in pkgutil.walk_packages(shiming.__path__, "shiming."):
        if ".errors" in found.name:
            importlib.import_module(found.name)
    waiting, seen = list(ReasonCode.__subclasses__()), []
    while waiting:
        family = waiting.pop()
        waiting += family.__subclasses__()
        if ".errors." in family.__module__:
            seen.append(family)
    yield from sorted(seen, key=lambda family: (family.__module__, family.__name__))


def reference() -> str:
    """Return the whole text."""
    return _HEAD + "\n".join(_section(family) for family in families())


def _section(family: type[ReasonCode]) -> str:
    _, feature, _, topic = family.__module__.split(".")
    rows = [
        f"| `{code.value}` | {code.words.clerk.en} | {code.words.subscriber.en} | {code.words.next_step.en} |"
        for code in family
    ]
    title = f"{feature} · {topic.replace('_', ' ')}"
    head = "| code | to the clerk | to the subscriber | next |\n|---|---|---|---|"
    return f"## {title}\n\n{head}\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    print(f"{REFERENCE.name}: {sum(len(family) for family in families())} codes")
