"""A line: what kind it is, what it is known by, and where it stands in its life."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.msisdn import Msisdn, NumberSeries

#: What a line is known by: a telephone number, or the account of an internet access line.
LineIdentifier = Msisdn | AccessAccount


class LineKind(StrEnum):
    """What a line is, technically (Order 25 art. 3: fixed, mobile, wireless data card; internet access)."""

    MOBILE = "mobile"
    DATA_CARD = "data_card"
    FIXED = "fixed"
    INTERNET = "internet"

    @property
    def has_sim(self) -> bool:
        """Whether there is a card or an eSIM profile in it."""
        return self in {LineKind.MOBILE, LineKind.DATA_CARD}

    @property
    def has_place(self) -> bool:
        """Whether it is installed at an address."""
        return self in {LineKind.FIXED, LineKind.INTERNET}


class SimForm(StrEnum):
    """How the subscription comes into the device."""

    PHYSICAL = "physical"
    ESIM = "esim"


class LineStatus(StrEnum):
    """Where a line stands in its life. Emergency calls work in every status but the last."""

    PENDING = "pending"  # registered; the network has not confirmed it yet
    ACTIVE = "active"
    ONE_WAY_STOPPED = "one_way_stopped"  # nothing goes out, everything comes in
    TWO_WAY_STOPPED = "two_way_stopped"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Line:
    """A registered line. Its holder is a pseudonym; who that is stands encrypted in the vault."""

    line_id: str
    number: LineIdentifier
    operator: str
    product_class: str
    cap_scope: str
    subject: str  # of the person; the reference of an organisation (`ORG-...`)
    session_id: str
    status: LineStatus
    registered_at: datetime
    kind: LineKind = LineKind.MOBILE
    cap_name: str | None = None  # the cap of the pack that counts it; None: it is not counted
    position: int = 1  # among the lines of its session
    terminated_at: datetime | None = None
    terminated_why: str | None = None


def read_identifier(
    text: str, kind: LineKind, region: str | None = None, *, also: tuple[NumberSeries, ...] = ()
) -> LineIdentifier:
    """Read what a line of this kind is known by; raise BadInput. `also`: as `Msisdn.parse` takes it."""
    if kind is LineKind.INTERNET:
        return AccessAccount.parse(text)
    return Msisdn.parse(text, region, also=also)


def stored_identifier(text: str) -> LineIdentifier:
    """Return the identifier that was stored: E.164 begins with a plus sign, an account never does."""
    return Msisdn(text) if text.startswith("+") else AccessAccount(text)
