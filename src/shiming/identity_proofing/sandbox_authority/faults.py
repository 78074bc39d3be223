"""Faults on demand: what an operator's rehearsal wants the authority to suffer from."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """One thing that goes wrong."""

    SLOW = "slow"  # every answer comes late
    DOWN = "down"  # 503 to everything
    WRONG = "wrong"  # answers in a form that is not OSIA's
    DENY = "deny"  # no to everything
    EXPIRED_CARD = "expired_card"  # every card is expired
    LOST_CARD = "lost_card"  # every card is reported lost


@dataclass(slots=True)
class Faults:
    """The faults that are on at present; set at start-up and by `POST /faults`."""

    on: frozenset[Fault] = frozenset()
    delay_s: float = 30.0
