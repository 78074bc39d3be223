"""Faults on demand: what goes wrong, how often, and always the same for one seed.

>>> faults = Faults.parse("slow=0.2,lost_callback=1", seed=7)
>>> faults.strikes(Fault.LOST_CALLBACK, "PRV-1"), faults.strikes(Fault.REFUSE, "PRV-1")
(True, False)
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from shiming.vocabulary.errors import BadInput, Text


class Fault(StrEnum):
    """One thing that goes wrong."""

    SLOW = "slow"  # an answer comes late
    SERVER_ERROR = "server_error"  # 500 before the work or, as often, after it
    LOST_CALLBACK = "lost_callback"
    DUPLICATE_CALLBACK = "duplicate_callback"  # twice, and then once more what came before
    REFUSE = "refuse"  # 400: this order is not taken
    FAIL = "fail"  # taken, and failed later


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault strikes, 0 to 1."""

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0

    @classmethod
    def parse(cls, text: str, *, seed: int) -> Self:
        """Read `slow=0.2,refuse=0.05`; raise BadInput."""
        rates: dict[Fault, float] = {}
        for part in filter(None, (each.strip() for each in text.split(","))):
            name, _, number = part.partition("=")
            try:
                rates[Fault(name.strip())] = rate = float(number)
            except ValueError:
                raise _faults_invalid() from None
            if not 0 <= rate <= 1:
                raise _faults_invalid()
        return cls(rates, seed)

    def strikes(self, fault: Fault, key: str) -> bool:
        """Say whether a fault strikes this order or request; the same key has the same fate."""
        return self.chance(fault, key) < self.rates.get(fault, 0.0)

    def chance(self, fault: Fault, key: str) -> float:
        """Return the number that is drawn for a fault and a key."""
        return random.Random(f"{self.seed}:{fault}:{key}").random()  # noqa: S311 - repeatable on purpose


def _faults_invalid() -> BadInput:
    names = ", ".join(Fault)
    return BadInput(
        "FAULTS_INVALID",
        Text(zh="故障格式不正确。", en="The faults are not understood."),
        Text(zh=f"例如 slow=0.2；名称：{names}。", en=f"Such as slow=0.2; names are {names}; rates 0 to 1."),
    )
