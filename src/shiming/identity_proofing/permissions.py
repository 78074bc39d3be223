"""What may be asked of identity proofing; who may do it is decided by `accounts`.

`operator` is the operator that the session is for; empty for a session of the installation itself.
"""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayConductSession(Permission):
    """Whether somebody may open a session, have challenges drawn and hand evidence in."""

    code: ClassVar[str] = "sessions.create"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadSession(Permission):
    """Whether somebody may see how a session stands."""

    code: ClassVar[str] = "sessions.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayDecideSession(Permission):
    """Whether somebody may have a session decided, and compare by eye for it."""

    code: ClassVar[str] = "sessions.decide"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadReceipt(Permission):
    """Whether somebody may read the receipt of a decision."""

    code: ClassVar[str] = "receipts.read"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReviewSession(Permission):
    """Whether somebody may see the pictures of a session that waits for people, and say what they found.

    For people only: no program is ever given it.
    """

    code: ClassVar[str] = "sessions.review"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayReadFigures(Permission):
    """Whether somebody may see how many people passed on each route, and how long it took."""

    code: ClassVar[str] = "figures.read"
    operator: str = ""
