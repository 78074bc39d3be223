"""Lines and their holders, the proof a registration rests on, and how a registration can end.

`register_line` answers `LineRegistered | RegistrationRefused`; `ReviewRequired` is the refusal that staff can
lift by an enhanced review.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shiming.jurisdictions.model import (
    CapPolicy,
    CapScope,
    Citation,
    EntryKind,
    EntryRequirement,
    HolderKind,
    Policy,
    ProductClass,
    RetentionPolicy,
)
from shiming.registrations.model.lines import LineIdentifier, LineKind
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.model.organisation_lines import OrganisationStanding
from shiming.registrations.model.sims import CardStanding
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn, NumberSeries
from shiming.vocabulary.refusals import Refusal

if TYPE_CHECKING:  # it imports this module
    from shiming.registrations.model.representation import RepresentationFacts

_OPERATOR = re.compile(r"[a-z][a-z0-9-]{1,31}")
_SESSION = re.compile(r"[A-Za-z][A-Za-z0-9-]{3,63}")
_UNKNOWN_CARD = CardStanding()
_HERE = "{operator}"  # in the names of counters, where the operator is put
VERIFIED = "Verified"
DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class ProvenSession:
    """What registration needs to know of a proofing session; `operator` None: proven for any."""

    session_id: str
    outcome: str
    level: str | None
    subject: str | None
    decided_at: datetime | None
    challenge_origin: str | None  # None: the route asks for no challenge (assisted review)
    receipt_hash: str | None
    operator: str | None = None
    consumed_by: str | None = None


@dataclass(frozen=True, slots=True)
class HolderCounter:
    """How many lines of one cap a holder has, and how fast they came; changes raise `version`."""

    active: int = 0  # not terminated, those that the network has not confirmed yet among them
    version: int = 0
    last_registered_at: datetime | None = None
    day: str | None = None  # of the last registration, in the zone of the policy
    day_count: int = 0  # registrations of that day, ended lines too


@dataclass(frozen=True, slots=True)
class PoolNumber:
    """What the number pool says of a number."""

    operator: str | None = None  # whose block it lies in; None: nobody's
    kind: LineKind | None = None  # of the lines that the block is for
    excluded: bool = False
    held_for: str | None = None  # session or organisation that it is reserved for
    resting: bool = False  # somebody had it a short time ago
    held_until: datetime | None = None  # of a reservation or of the rest


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """What a registration is decided on, as it stood at one moment."""

    session: ProvenSession | None
    evidence: tuple[str, ...]  # references of what is kept of the session and not erased
    identity_recorded: bool
    number_held_by: str | None  # the line that uses the number now
    counter: HolderCounter = HolderCounter()  # of the holder, for the cap of the product
    places_kept: int = 0  # under the same cap, by other sessions of the holder
    order: LineOrder | None = None
    pool: PoolNumber = PoolNumber()
    card: CardStanding = _UNKNOWN_CARD  # that the order names
    terms_in_force: str | None = None  # hash of the operator's terms of today
    representation: "RepresentationFacts | None" = None  # read where somebody acts for the holder
    standing: OrganisationStanding | None = None  # of the organisation that is going to hold the line
    position: int = 1  # of the line among those of its session; only organisations have a second


@dataclass(frozen=True, slots=True)
class NamedCap:
    """A cap with the name that its counters go by."""

    name: str
    policy: CapPolicy

    def scope_of(self, operator: str) -> str:
        """Return the scope whose lines of this operator count together."""
        scope = self.policy.scope.value
        return scope.value if scope is CapScope.NATIONAL else f"{scope.value}:{operator}"


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """The rules of a pack that decide a registration."""

    pack_id: str
    pack_version: str
    pack_hash: str
    caps: Mapping[tuple[ProductClass, HolderKind], NamedCap]  # what is not here is not counted
    retention: RetentionPolicy
    session_age_max: timedelta
    session_citation: Citation
    identity_citation: Citation
    number_citation: Citation
    number_regions: tuple[str, ...]  # ISO 3166-1; none named: any valid number
    identity_record_required: bool = True
    rules: Policy | None = None  # none: no order is needed, only a proof and a free number
    time_zone: str = "UTC"  # IANA; whose days the velocity counts
    _counters: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Name the counters once: the query for facts finds an order's by its product and holder."""
        keys = {f"{product}/{holder}": cap for (product, holder), cap in self.caps.items()}
        counters = {
            "cap_names": json.dumps({key: cap.name for key, cap in keys.items()}),
            "cap_scopes": json.dumps({key: cap.scope_of(_HERE) for key, cap in keys.items()}),
        }
        object.__setattr__(self, "_counters", counters)

    @classmethod
    def of(
        cls, policy: Policy, *, number_regions: tuple[str, ...], time_zone: str = "UTC"
    ) -> "RegistrationPolicy":
        """Take what registration needs out of a policy."""
        required = policy.entries[EntryKind.OPEN].requirements.value
        return cls(
            pack_id=policy.pack_id,
            pack_version=policy.pack_version,
            pack_hash=policy.content_hash,
            caps=_caps(policy),
            retention=policy.retention,
            session_age_max=timedelta(minutes=policy.time_limits.session_minutes.value),
            session_citation=policy.time_limits.session_minutes.citation,
            identity_citation=policy.retention.identity.period.citation,
            number_citation=policy.verification_model.citation,
            number_regions=number_regions,
            identity_record_required=EntryRequirement.IDENTITY_RECORD in required,
            rules=policy,
            time_zone=time_zone,
        )

    @property
    def number_series(self) -> tuple[NumberSeries, ...]:
        """Return the series of the plan that common data lack."""
        return self.rules.numbering.series if self.rules else ()

    def read_number(self, text: str) -> Msisdn:
        """Read a number as it was typed, in the numbering plan of the installation; raise BadInput."""
        regions = self.number_regions
        return Msisdn.parse(text, regions[0] if len(regions) == 1 else None, also=self.number_series)

    def cap_of(self, product: ProductClass, holder: HolderKind = HolderKind.PERSON) -> NamedCap | None:
        """Return the cap that counts such lines; None: they are not counted."""
        return self.caps.get((product, holder))

    def counters_at(self, operator: str) -> dict[str, str]:
        """Return the names and scopes of the counters at an operator, as JSON objects for the query."""
        return {name: text.replace(_HERE, operator) for name, text in self._counters.items()}


def _caps(policy: Policy) -> dict[tuple[ProductClass, HolderKind], NamedCap]:
    return {
        (product, holder): NamedCap(named.value, policy.caps[named.value])
        for product, rule in policy.products.items()
        for holder, named in (
            (HolderKind.PERSON, rule.cap_of_person),
            (HolderKind.ORGANISATION, rule.cap_of_organisation),
        )
        if named is not None
    }


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """The command: this number or account, at this operator, for the person proven in this session."""

    operator: str
    number: LineIdentifier
    session_id: str

    @classmethod
    def parse(
        cls,
        *,
        operator: str,
        number: str,
        session_id: str,
        region: str | None = None,
        also: tuple[NumberSeries, ...] = (),
    ) -> "RegisterLine":
        """Read a command as it was typed; raise BadInput for what is none. `also`: as of `Msisdn.parse`."""
        check_operator(operator)
        check_session(session_id)
        account = "@" in number
        identifier = AccessAccount.parse(number) if account else Msisdn.parse(number, region, also=also)
        return cls(operator, identifier, session_id)


def check_operator(operator: str) -> None:
    """Raise BadInput for what can be no code of an operator."""
    if not _OPERATOR.fullmatch(operator):
        raise BadInput(
            "OPERATOR_FORMAT",
            Text(zh="运营企业代码格式不正确。", en="This is no operator code."),
            Text(zh="例如 cn-mobile。", en="Lower-case letters, digits and hyphens, such as cn-mobile."),
        )


def check_session(session_id: str) -> None:
    """Raise BadInput for what can be no reference of a session."""
    if not _SESSION.fullmatch(session_id):
        raise BadInput(
            "SESSION_FORMAT",
            Text(zh="会话编号格式不正确。", en="This is no session reference."),
            Text(zh="请使用核验结果中的会话编号。", en="Use the session reference of the proof."),
        )


@dataclass(frozen=True, slots=True)
class WithinCap:
    """One more is allowed; `remaining` counts it."""

    remaining: int


@dataclass(frozen=True, slots=True)
class CapReached:
    """The identity holds as many as it may, with the places that its other sessions keep."""

    active: int
    citation: Citation
    reviewable: bool = False  # staff may let one more pass


@dataclass(frozen=True, slots=True)
class NumberFree:
    """The number can be given out."""


@dataclass(frozen=True, slots=True)
class NumberRefused:
    """The number cannot be given out."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class SessionUsable:
    """The session proves a person, freshly, for this operator, and has registered nothing yet."""

    subject: str
    level: str | None
    receipt_hash: str | None
    rehearsal: bool  # the challenge was chosen by hand: sandbox only, and the receipt says so


@dataclass(frozen=True, slots=True)
class SessionNotUsable:
    """Every reason why the session cannot register a line."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class LineRegistered:
    """The line waits for the network. `repeated`: it was registered already, by the same session."""

    receipt: Mapping[str, Any]
    active: int | None = None  # lines of the holder that count, with this one; None: they are not counted
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """Nothing was registered, for all these reasons."""

    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class ReviewRequired(RegistrationRefused):
    """Nothing was registered yet: only an enhanced review by staff is missing."""
