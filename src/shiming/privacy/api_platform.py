"""What the routes of privacy share: the platform they need, who acts, and the forms of references."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import Path, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.page import PageAsked
from shiming.infrastructure.signed_notes import NoteKey
from shiming.jurisdictions.model import Policy
from shiming.privacy.rules.disclosure import Actor
from shiming.privacy.use_cases.access_log import Place
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, Text

EVIDENCE_PATTERN = r"^EVD(-[0-9A-Z]{1,4}){4}$"
DISCLOSURE_PATTERN = r"^DSC(-[0-9A-Z]{1,4}){4}$"
SUBJECT_PATTERN = r"^[0-9A-Za-z._:-]{1,80}$"
OPERATOR_PATTERN = r"^[a-z0-9][a-z0-9-]{1,38}$"
_REFERENCE = re.compile(r"[0-9A-Z-]{1,40}")
PurposeName = Literal[
    "registration", "assisted_review", "dispute", "subject_access", "inspection", "lawful_request"
]
EvidenceId = Annotated[str, Path(pattern=EVIDENCE_PATTERN, description="Reference of one piece.")]
DisclosureId = Annotated[str, Path(pattern=DISCLOSURE_PATTERN, description="Reference of the disclosure.")]
SubjectId = Annotated[str, Path(pattern=SUBJECT_PATTERN, description="Pseudonym of the person.")]


class PrivacyApiPlatform(Protocol):
    """What these routes need of the wired platform."""

    engine: Engine
    clock: Clock
    privacy: PrivacyTools

    @property
    def ledger_keys(self) -> tuple[NoteKey, ...]:
        """The keys that verify the ledger's checkpoints: the present one and older ones."""
        ...

    @property
    def witness_keys(self) -> tuple[NoteKey, ...]:
        """The keys of the witnesses that are known."""
        ...

    def today(self) -> date:
        """Return the day by the local calendar."""
        ...

    def policy(self, pack: str, on: date) -> Policy:
        """Return the rules of a pack on a day."""
        ...

    def operator_name(self, operator: str) -> str:
        """Return the operator's name as it stands on copies; "" when it has none."""
        ...


class Body(BaseModel):
    """What a request carries; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


def platform_of(request: Request) -> PrivacyApiPlatform:
    """Return the wired platform."""
    platform: PrivacyApiPlatform = request.app.state.platform
    return platform


def actor_of(asking: Asking) -> Actor:
    """Return who acts; behind a program stands no person."""
    caller = asking.caller
    return Actor(caller.reference, caller.person_key if caller.kind == "staff" else "")


def own(asking: Asking) -> str:
    """Return the operator that a caller may be asked about; "" for one of the whole platform."""
    return asking.caller.operator or ""


def place_of(page: PageAsked) -> Place | None:
    """Return the instant and reference after which a page begins."""
    match page.after:
        case None:
            return None
        case (str(at), str(reference)) if _REFERENCE.fullmatch(reference):
            try:
                instant = datetime.fromisoformat(at)
            except ValueError:
                raise _cursor_refused() from None
            if instant.tzinfo is not None:
                return instant, reference
    raise _cursor_refused()


def unknown(code: str, zh: str, en: str) -> BadInput:
    """Return the error for what is not there, or is another operator's."""
    return BadInput(code, Text(zh=zh, en=en), Text(zh="请核对编号。", en="Compare the reference."))


def described(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the description of an answer that is not JSON of a model."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _cursor_refused() -> BadInput:
    return BadInput(
        "CURSOR_INVALID",
        Text(zh="分页游标无效。", en="This cursor was not given out by this list."),
        Text(zh="请从第一页重新开始。", en="Start again from the first page."),
    )
