"""Scenarios about terms of service and about confirming what is opened."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shiming.entrypoints.law.outcomes import accepted, refused
from shiming.jurisdictions.model import Channel, EntryKind, Policy, ProductClass
from shiming.registrations.model.confirmation import IssuedCode
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.model.registration import PoolNumber
from shiming.registrations.model.terms import TRANSFER_CLAUSE, AcceptTerms, Clause, PublishedTerms, Terms
from shiming.registrations.rules.confirmation import Answer, decide_answer
from shiming.registrations.rules.entry import decide_entry
from shiming.registrations.rules.terms import (
    decide_acceptance,
    decide_publishing,
    terms_in_force,
)
from shiming.vocabulary.access_accounts import AccessAccount
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

_NOON = time(12, tzinfo=UTC)
_Day = date  # `date` is a field below
_SAID = Text(zh="文", en="text")
_HERE, _SESSION, _KEPT = "here", "SES", "EVD"
_LINE, _OTHER_LINE = AccessAccount("line@example.net"), AccessAccount("other@example.net")


def _in_words(name: str) -> str:
    return name.replace("_", " ")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_in_words)


class NewTerms(_Part):
    """Terms that an operator wants to publish."""

    clauses: tuple[str, ...] = ("scope", TRANSFER_CLAUSE)
    effective: date
    version_published_before: bool = False


class Accepted(_Part):
    """Which version the customer accepted, and whether its text was the published one."""

    version: str
    same_text: bool = True


class CodeReadBack(_Part):
    """The code that the customer read back, so many minutes after it was sent."""

    right: bool = True
    minutes_later: int = 1
    wrong_before: int = 0
    used_before: bool = False
    sent_for: Literal["this line", "another line"] = "this line"


After = Literal["nothing", "terms", "terms and confirmation", "confirmation of another line"]


class Given(_Part):
    """The facts: one of the parts, and the versions in force since which day."""

    date: date
    versions: dict[str, _Day] = Field(default_factory=lambda: {"2025-01": _Day(2025, 1, 1)})
    publish: NewTerms | None = None
    accept: Accepted | None = None
    read_back: CodeReadBack | None = None
    register_after: After | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        """Take no scenario without a part: it would be accepted whatever the rules say."""
        parts = (self.publish, self.accept, self.read_back, self.register_after)
        if all(part is None for part in parts):
            msg = "one of publish, accept, read back and register after has to be stated"
            raise ValueError(msg)
        return self


def conclude(given: Given, policy: Policy) -> dict[str, Any]:
    """Return whether terms are published, accepted, a code confirms, and whether a line may be registered."""
    parts = {
        "publish": given.publish and _publish(given, given.publish, policy),
        "accept": given.accept and _accept(given, given.accept, policy),
        "read back": given.read_back and _read_back(given, given.read_back, policy),
        "register": given.register_after and _register(given, given.register_after, policy),
    }
    refusals = tuple(refusal for found in parts.values() if found for refusal in found)
    if refusals:
        return refused(refusals)
    return accepted(lines=1) if given.read_back or given.register_after else accepted()


def _publish(given: Given, new: NewTerms, policy: Policy) -> tuple[Refusal, ...]:
    version = next(iter(given.versions)) if new.version_published_before else "new-1"
    terms = _terms(version, new.effective, new.clauses)
    return decide_publishing(terms, _published(given), policy.contracts, today=given.date)


def _accept(given: Given, accept: Accepted, policy: Policy) -> tuple[Refusal, ...]:
    named = next((each for each in _published(given) if each.terms.version == accept.version), None)
    text = named.content_hash if named and accept.same_text else "sha256:other"
    wanted = AcceptTerms(_SESSION, accept.version, text, "zh")
    current = terms_in_force(_published(given), today=given.date)
    return decide_acceptance(wanted, named, current, policy.contracts, completed=False)


def _read_back(given: Given, read: CodeReadBack, policy: Policy) -> tuple[Refusal, ...]:
    sent = datetime.combine(given.date, _NOON)
    code = IssuedCode(
        reference=_SESSION,
        operator=_HERE,
        lines=1,
        session_id=_SESSION,
        covers="",
        code_hash="",
        link_hash="",
        issued_at=sent,
        expires_at=sent + timedelta(minutes=policy.contracts.confirmation_minutes.value),
        issued=1,
        wrong=read.wrong_before,
        used_at=sent if read.used_before else None,
    )
    answer = Answer(covers_this=read.sent_for == "this line", right=read.right)
    now = sent + timedelta(minutes=read.minutes_later)
    return decide_answer(code, answer, policy.contracts, completed=False, now=now)


def _register(given: Given, after: str, policy: Policy) -> tuple[Refusal, ...]:
    at = datetime.combine(given.date, _NOON)
    current = terms_in_force(_published(given), today=given.date)
    terms = confirmation = None
    if current is not None and after.startswith("terms"):
        terms = TermsAcceptance(current.terms.version, current.content_hash, at, Channel.SHOP)
    if "confirmation" in after:
        line = _OTHER_LINE if after == "confirmation of another line" else _LINE
        confirmation = LineConfirmation(line, ConfirmationMethod.READ_BACK, at)
    order = LineOrder(
        session_id=_SESSION,
        operator=_HERE,
        entry=EntryKind.OPEN,
        kind=LineKind.INTERNET,
        product_class=ProductClass.INTERNET,
        channel=Channel.SHOP,
        created_at=at,
        identifier=_LINE,
        install_address=_KEPT,
        terms=terms,
        confirmation=confirmation,
    )
    # what else an entry requires is there; it is not what these scenarios are about
    return decide_entry(order, _LINE, policy, identity_recorded=True, pool=PoolNumber(), now=at)


def _published(given: Given) -> tuple[PublishedTerms, ...]:
    return tuple(
        PublishedTerms(
            _terms(version, day, (TRANSFER_CLAUSE,)), f"sha256:{version}", datetime.combine(day, _NOON)
        )
        for version, day in given.versions.items()
    )


def _terms(version: str, effective: date, clauses: tuple[str, ...]) -> Terms:
    return Terms(_HERE, version, effective, _SAID, tuple(Clause(name, _SAID) for name in clauses))
