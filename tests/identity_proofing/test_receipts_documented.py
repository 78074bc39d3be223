"""The reference page says what the program does."""

import re
from pathlib import Path

from shiming.identity_proofing.model.reasons import catalogue
from shiming.identity_proofing.receipts.verifying import _REFUSALS, MEMBERS

PAGE = (Path(__file__).parents[2] / "docs/reference/decision-receipts.md").read_text(encoding="utf-8")
SOURCES = Path(__file__).parents[2] / "src/shiming/identity_proofing"


def test_every_member_and_reason_is_documented() -> None:
    words = set(re.findall(r"`([A-Za-z_]+)`", PAGE))
    assert words >= MEMBERS
    assert words >= set(_REFUSALS)
    assert words >= set(catalogue())


def test_every_reason_is_given_somewhere() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES.rglob("*.py"))
    unused = {name for name in catalogue() if f'"{name}"' not in code}
    assert not unused
