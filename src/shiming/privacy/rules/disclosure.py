"""One disclosure of one person's evidence to somebody outside the operator, and how far it has come.

    requested -> approved (by others than the requester) -> executed, once
              -> refused, or expired when a deadline passes

The state is read off the facts and the clock: nothing has to run for a disclosure to expire.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shiming.privacy.model import Purpose
from shiming.vocabulary.errors import BadInput, Text

WORDS_CHARACTERS_MAX = 200  # the name of an authority, or the articles of a law


class DisclosureState(StrEnum):
    """How far a disclosure has come."""

    REQUESTED = "requested"
    APPROVED = "approved"
    EXECUTED = "executed"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Whether something can still happen to it."""
        return self in {DisclosureState.REQUESTED, DisclosureState.APPROVED}


class DisclosureObstacle(StrEnum):
    """Why a step of a disclosure is not taken."""

    PURPOSE_NOT_ALLOWED = "DISCLOSURE_PURPOSE_NOT_ALLOWED"
    NOTHING_LISTED = "DISCLOSURE_NOTHING_LISTED"
    TOO_MUCH_LISTED = "DISCLOSURE_TOO_MUCH_LISTED"
    NOT_OF_THE_SUBJECT = "DISCLOSURE_NOT_OF_THE_SUBJECT"
    DEFERRAL_OUT_OF_BOUNDS = "DISCLOSURE_DEFERRAL_OUT_OF_BOUNDS"
    NOT_A_PERSON = "DISCLOSURE_NOT_A_PERSON"
    SAME_PERSON = "DISCLOSURE_SAME_PERSON"
    NOT_OPEN = "DISCLOSURE_NOT_OPEN"
    NOT_APPROVED = "DISCLOSURE_NOT_APPROVED"
    ALREADY_EXECUTED = "DISCLOSURE_ALREADY_EXECUTED"
    EXPIRED = "DISCLOSURE_EXPIRED"
    EVIDENCE_ERASED = "DISCLOSURE_EVIDENCE_ERASED"

    @property
    def text(self) -> Text:
        """Say what stands in the way."""
        return _OBSTACLES[self][0]

    @property
    def advice(self) -> Text:
        """Say what to do."""
        return _OBSTACLES[self][1]


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff: the account, and the human behind it, who may have other accounts."""

    account: str
    person_key: str = field(repr=False)

    def is_same_person(self, other: "Actor") -> bool:
        """Whether one human stands behind both."""
        return self.person_key == other.person_key or self.account == other.account


@dataclass(frozen=True, slots=True)
class Approval:
    """Who agreed, and when."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class DisclosureRequest:
    """What is asked for: the evidence of one person that goes to one recipient for one case."""

    subject: str
    evidence_ids: tuple[str, ...]
    purpose: Purpose
    recipient: str
    legal_basis: str
    case_reference: str
    deferred_until: datetime | None = None
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A request and what became of it; `version` counts the changes."""

    disclosure_id: str
    request: DisclosureRequest
    requested_by: Actor
    requested_at: datetime
    approvals_required: int
    approve_before: datetime
    execution_hours: int
    approvals: tuple[Approval, ...] = ()
    execute_before: datetime | None = None  # known from the last approval on
    executed_by: str | None = None
    executed_at: datetime | None = None
    refused_by: str | None = None
    refused_at: datetime | None = None
    refused_why: str | None = None
    expired_at: datetime | None = None  # when the expiry was written down, some time after the deadline
    version: int = 1

    @property
    def deadline(self) -> datetime:
        """When it expires unless the next step is taken."""
        return self.execute_before or self.approve_before

    def state(self, now: datetime) -> DisclosureState:
        """Say how far it has come."""
        if self.executed_at is not None:
            return DisclosureState.EXECUTED
        if self.refused_at is not None:
            return DisclosureState.REFUSED
        if self.expired_at is not None or now >= self.deadline:
            return DisclosureState.EXPIRED
        return DisclosureState.APPROVED if self.execute_before else DisclosureState.REQUESTED


_READ_AGAIN = Text(zh="请查看该申请的当前状态。", en="Look at how far the disclosure has come.")
_ASK_ANEW = Text(zh="请重新提出申请。", en="Request it anew.")
_OBSTACLES = {
    DisclosureObstacle.PURPOSE_NOT_ALLOWED: (
        Text(zh="规则包不允许以此用途对外提供。", en="The policy allows no disclosure for this purpose."),
        Text(
            zh="用 shiming packs explain 查看允许的用途。",
            en="See `shiming packs explain` for those it does.",
        ),
    ),
    DisclosureObstacle.NOTHING_LISTED: (
        Text(zh="未列出任何材料。", en="No evidence is listed."),
        Text(zh="请列出该人的材料编号。", en="List the person's evidence by its references."),
    ),
    DisclosureObstacle.TOO_MUCH_LISTED: (
        Text(zh="列出的材料过多或重复。", en="Too much evidence is listed, or some of it twice."),
        Text(zh="只列出案件所必需的材料。", en="List what the case needs and no more."),
    ),
    DisclosureObstacle.NOT_OF_THE_SUBJECT: (
        Text(
            zh="所列材料不存在、已销毁或不属于此人。",
            en="Something listed is unknown, erased, or not of this person.",
        ),
        Text(zh="一次申请只涉及一个人。", en="A disclosure is about one person."),
    ),
    DisclosureObstacle.DEFERRAL_OUT_OF_BOUNDS: (
        Text(
            zh="告知日期超出规则包的上限。", en="The person would learn of it later than the policy allows."
        ),
        Text(zh="请选择更早的日期。", en="Choose an earlier date."),
    ),
    DisclosureObstacle.NOT_A_PERSON: (
        Text(
            zh="此操作须由本人身份明确的工作人员进行。",
            en="Only a member of staff who is known as a person does this.",
        ),
        Text(zh="程序账号不能代替。", en="A program cannot."),
    ),
    DisclosureObstacle.SAME_PERSON: (
        Text(
            zh="申请人和各审批人必须是不同的人。", en="The requester and each approver are different people."
        ),
        Text(
            zh="请由另一人审批；同一人的其他账号不算。",
            en="Another person approves; another account of the same does not.",
        ),
    ),
    DisclosureObstacle.NOT_OPEN: (
        Text(zh="该申请已结束或已批准。", en="This disclosure is decided already."),
        _READ_AGAIN,
    ),
    DisclosureObstacle.NOT_APPROVED: (
        Text(zh="审批人数不足。", en="Too few people have approved it."),
        Text(zh="请等待其他人审批。", en="Wait for the others to approve."),
    ),
    DisclosureObstacle.ALREADY_EXECUTED: (
        Text(zh="该申请已执行过一次。", en="This disclosure was carried out already, and is once only."),
        _ASK_ANEW,
    ),
    DisclosureObstacle.EXPIRED: (
        Text(zh="该申请已过期。", en="This disclosure has expired."),
        _ASK_ANEW,
    ),
    DisclosureObstacle.EVIDENCE_ERASED: (
        Text(
            zh="所列材料已销毁，未提供任何内容。",
            en="Something listed was erased since; nothing was disclosed.",
        ),
        _ASK_ANEW,
    ),
}


def parse_words(text: str) -> str:
    """Return one trimmed line in any script; raise BadInput for none, too much, or control codes."""
    words = " ".join(text.split())
    if not 0 < len(words) <= WORDS_CHARACTERS_MAX or not words.isprintable():
        raise BadInput(
            "DISCLOSURE_WORDS",
            Text(
                zh="接收机关、依据或理由为空、过长或含有控制字符。",
                en="Recipient, basis or reason is empty, too long, or not text.",
            ),
            Text(
                zh="请用一行文字说明。",
                en=f"Say it in one line of at most {WORDS_CHARACTERS_MAX} characters.",
            ),
        )
    return words
