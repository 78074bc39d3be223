"""Lines and their holders, the proof a registration rests on, and how a registration can end.

`register_line` answers `LineRegistered | RegistrationRefused`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shiming.jurisdictions.model import CapPolicy, CapScope, Citation, Policy, RetentionPolicy
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal

_OPERATOR = re.compile(r"[a-z][a-z0-9-]{1,31}")
_SESSION = re.compile(r"[A-Za-z][A-Za-z0-9-]{3,63}")
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
class RegistrationFacts:
    """What a registration is decided on, as it stood at one moment."""

    session: ProvenSession | None
    evidence: tuple[str, ...]  # references of what is kept of the session and not erased
    identity_recorded: bool
    number_held_by: str | None  # the line that uses the number now
    active: int  # lines that count towards the cap of the session's person


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """The rules of a pack that decide a registration."""

    pack_id: str
    pack_version: str
    pack_hash: str
    line_cap: CapPolicy
    retention: RetentionPolicy
    session_age_max: timedelta
    session_citation: Citation
    identity_citation: Citation
    number_citation: Citation
    number_regions: tuple[str, ...]  # ISO 3166-1; none named: any valid number
    identity_record_required: bool = True

    @classmethod
    def of(cls, policy: Policy, *, number_regions: tuple[str, ...]) -> "RegistrationPolicy":
        """Take what registration needs out of a policy."""
        return cls(
            pack_id=policy.pack_id,
            pack_version=policy.pack_version,
            pack_hash=policy.content_hash,
            line_cap=policy.caps["cards"],
            retention=policy.retention,
            session_age_max=timedelta(minutes=policy.time_limits.session_minutes.value),
            session_citation=policy.time_limits.session_minutes.citation,
            identity_citation=policy.retention.identity.period.citation,
            number_citation=policy.verification_model.citation,
            number_regions=number_regions,
        )

    def cap_scope_of(self, operator: str) -> str:
        """Return the name of the counter that this operator's lines count in."""
        if self.line_cap.scope.value is CapScope.NATIONAL:
            return CapScope.NATIONAL.value
        return f"{self.line_cap.scope.value}:{operator}"


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """The command: this number, at this operator, for the person proven in this session."""

    operator: str
    number: Msisdn
    session_id: str

    @classmethod
    def parse(
        cls, *, operator: str, number: str, session_id: str, region: str | None = None
    ) -> "RegisterLine":
        """Read a command as it was typed; raise BadInput for what can be none."""
        if not _OPERATOR.fullmatch(operator):
            raise BadInput(
                "OPERATOR_FORMAT",
                Text(zh="运营企业代码格式不正确。", en="This is no operator code."),
                Text(zh="例如 cn-mobile。", en="Lower-case letters, digits and hyphens, such as cn-mobile."),
            )
        if not _SESSION.fullmatch(session_id):
            raise BadInput(
                "SESSION_FORMAT",
                Text(zh="会话编号格式不正确。", en="This is no session reference."),
                Text(zh="请使用核验结果中的会话编号。", en="Use the session reference of the proof."),
            )
        return cls(operator, Msisdn.parse(number, region), session_id)


@dataclass(frozen=True, slots=True)
class WithinCap:
    """One more is allowed; `remaining` counts it."""

    remaining: int


@dataclass(frozen=True, slots=True)
class CapReached:
    """The identity holds as many as it may."""

    active: int
    citation: Citation


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
    """The line is active. `repeated`: it was so already, from the same session; the receipt is the same."""

    receipt: Mapping[str, Any]
    active: int | None = None  # lines of the person that count towards the cap, with this one
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """Nothing was registered, for all these reasons."""

    refusals: tuple[Refusal, ...]
