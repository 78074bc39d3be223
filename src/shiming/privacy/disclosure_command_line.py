"""What the commands of `shiming disclosures` share: signing in, permissions, how a disclosure is shown."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from shiming.vocabulary.errors import BadInput, ShimingError, Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from shiming.infrastructure.clock import Clock
    from shiming.infrastructure.http.asking import Caller, Gatekeeper
    from shiming.jurisdictions.model import Policy
    from shiming.privacy.model import Purpose
    from shiming.privacy.rules.disclosure import Actor, Disclosure
    from shiming.privacy.use_cases.disclosures import Outcome
    from shiming.privacy.use_cases.tools import PrivacyTools
    from shiming.vocabulary.permissions import Permission

PASSWORD_CHARACTERS_MAX = 1000  # a file that holds more is no password


class DisclosurePlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def engine(self) -> "Engine": ...  # noqa: D102 - named by its type
    @property
    def privacy(self) -> "PrivacyTools": ...  # noqa: D102
    @property
    def clock(self) -> "Clock": ...  # noqa: D102
    @property
    def gatekeeper(self) -> "Gatekeeper": ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102

    def today(self) -> date: ...  # noqa: D102

    def policy(self, pack: str, on: date) -> "Policy": ...  # noqa: D102 - empty: the installation's own pack

    def operator_name(self, operator: str) -> str: ...  # noqa: D102

    def sign_in_staff(self, user_name: str, password: str) -> "Caller":
        """Return who signed in; raise BadInput when nobody did."""
        ...


class DisclosureRefused(ShimingError):
    """A rule stands in the way (exit code 1)."""

    exit_code = 1


def sign_in(platform: DisclosurePlatform, user_name: str, password_file: Path | None) -> "Caller":
    """Return who acts; the password is asked for when no file has it."""
    if password_file is None:
        return platform.sign_in_staff(user_name, typer.prompt("Password", hide_input=True, err=True))
    try:
        if str(password_file) == "-":
            password = sys.stdin.readline(PASSWORD_CHARACTERS_MAX)
        else:
            with password_file.open(encoding="utf-8") as file:
                password = file.readline(PASSWORD_CHARACTERS_MAX)
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(
            "PASSWORD_FILE_UNREADABLE",
            Text(zh="密码文件无法读取。", en="The password file cannot be read."),
            Text(zh="请检查路径。", en="Check its path."),
        ) from problem
    return platform.sign_in_staff(user_name, password.rstrip("\r\n"))


def allow(platform: DisclosurePlatform, caller: "Caller", question: "Permission") -> None:
    """Return when the caller may; raise `Forbidden` when not."""
    from shiming.infrastructure.http.asking import Forbidden

    if not platform.gatekeeper.allow(caller, question):
        raise Forbidden(question.code)


def allow_reading(platform: DisclosurePlatform, caller: "Caller") -> None:
    """Let in who may read disclosures, and who approves them: nobody approves what they cannot see."""
    from shiming.privacy.permissions import MayApproveDisclosure, MayReadDisclosure

    whose = caller.operator or ""
    if not platform.gatekeeper.allow(caller, MayReadDisclosure(whose)):
        allow(platform, caller, MayApproveDisclosure(whose))


def actor_of(caller: "Caller") -> "Actor":
    """Return who acts; behind a program stands no person."""
    from shiming.privacy.rules.disclosure import Actor

    return Actor(caller.reference, caller.person_key if caller.kind == "staff" else "")


def changed(platform: DisclosurePlatform, work: "Callable[[Connection], Outcome]") -> "Outcome":
    """Run a step as one transaction."""
    from shiming.infrastructure.database import transact

    return transact(platform.engine, work)


def purpose_of(text: str) -> "Purpose":
    """Return the purpose of this name; raise BadInput for another."""
    from shiming.privacy.model import Purpose

    try:
        return Purpose(text)
    except ValueError:
        raise BadInput(
            "PURPOSE_UNKNOWN",
            Text(zh="没有这种用途。", en="There is no such purpose."),
            Text(zh="lawful_request 或 inspection。", en="lawful_request or inspection."),
        ) from None


def midnight_of(day: str | None) -> datetime | None:
    """Return the beginning of a day in UTC."""
    from shiming.vocabulary.instants import parse_date

    return None if day is None else datetime.combine(parse_date(day), time(), UTC)


def done(found: "Outcome") -> "Disclosure":
    """Return the disclosure; a refusal of the rules ends with exit code 1, what is unknown with 2."""
    from shiming.privacy.rules.disclosure import Disclosure, DisclosureObstacle

    if isinstance(found, Disclosure):
        return found
    if isinstance(found, DisclosureObstacle):
        raise DisclosureRefused(found.value, found.text, found.advice)
    raise BadInput(
        "DISCLOSURE_UNKNOWN",
        Text(zh="没有这项对外提供申请。", en="There is no such disclosure."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def print_one(platform: DisclosurePlatform, found: "Disclosure", *, as_json: bool) -> None:
    """Print how far a disclosure has come."""
    now = platform.clock.now()
    typer.echo(json.dumps(to_json(found, now), ensure_ascii=False) if as_json else line_of(found, now))


def to_json(found: "Disclosure", now: datetime) -> dict[str, Any]:
    """Return a disclosure as the API shows it."""
    from shiming.privacy.disclosure_schemas import shown

    return shown(found, now).model_dump(mode="json")


def line_of(found: "Disclosure", now: datetime) -> str:
    """Return a disclosure in one line."""
    approvals = f"{len(found.approvals)}/{found.approvals_required}"
    deadline = found.deadline.isoformat(timespec="minutes")
    state = found.state(now)
    until = f", until {deadline}" if state.is_open else ""
    return (
        f"{found.disclosure_id}  {state.value}  {approvals} approvals{until}  {found.request.case_reference}"
    )
