"""Who looked at what is kept of a person: when, why, in which case."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from shiming.entrypoints.pages.desk.areas import ANYBODY
from shiming.entrypoints.pages.desk.desk_page import Shown, table_page
from shiming.entrypoints.pages.desk.tables import Choice, Column, Gathered, Table, gather
from shiming.entrypoints.pages.desk.words import word
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.privacy.api_platform import SUBJECT_PATTERN, own, platform_of
from shiming.privacy.model import Purpose
from shiming.privacy.permissions import MayReadAccessLog
from shiming.privacy.rules.access import Access, AccessKind
from shiming.privacy.use_cases.access_log import list_accesses
from shiming.vocabulary.errors import Text

router = page_router()

_PURPOSES = {
    Purpose.REGISTRATION.value: Text(zh="登记", en="registration"),
    Purpose.ASSISTED_REVIEW.value: Text(zh="人工核验", en="assisted review"),
    Purpose.DISPUTE.value: Text(zh="异议处理", en="dispute"),
    Purpose.SUBJECT_ACCESS.value: Text(zh="本人查阅", en="access by the person"),
    Purpose.INSPECTION.value: Text(zh="监管检查", en="inspection"),
    Purpose.LAWFUL_REQUEST.value: Text(zh="依法调取", en="lawful request"),
}
_KINDS = {
    AccessKind.READ.value: Text(zh="查阅", en="looked at"),
    AccessKind.DISCLOSED.value: Text(zh="对外提供", en="disclosed"),
}


def _word(words: dict[str, Text], value: str) -> Text:
    return words.get(value) or Text(zh=value, en=value)


TABLE: Table[Access] = Table(
    "accesses",
    Text(zh="查阅记录", en="Who looked"),
    (
        Column("at", Text(zh="时间", en="When"), lambda access: access.at),
        Column("actor", Text(zh="查阅人账号", en="Who"), lambda access: access.actor, look="code"),
        Column("what", Text(zh="行为", en="What"), lambda access: _word(_KINDS, access.what.value)),
        Column(
            "purpose", Text(zh="目的", en="Purpose"), lambda access: _word(_PURPOSES, access.purpose.value)
        ),
        Column("case", Text(zh="案件", en="Case"), lambda access: access.case_reference, look="code"),
        Column("evidence", Text(zh="材料", en="Evidence"), lambda access: access.evidence_id, look="code"),
        Column("kind", Text(zh="材料种类", en="Kind"), lambda access: word(access.evidence_kind)),
        Column("recipient", Text(zh="接收方", en="Recipient"), lambda access: access.recipient),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda access: access.operator),
    ),
    filters=(
        Choice("purpose", Text(zh="目的", en="Purpose"), _PURPOSES, lambda access: access.purpose.value),
        Choice("what", Text(zh="行为", en="What"), _KINDS, lambda access: access.what.value),
    ),
    empty=Text(zh="没有查阅记录。", en="Nobody looked."),
    kept=("subject",),
)


@router.get("/desk/access-log")
def show_log(
    request: Request,
    asking: Annotated[Asking, asked(MayReadAccessLog)],
    subject: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show who looked at what is kept of a person, named by their pseudonym; newest first."""
    wanted = subject.strip()
    named = bool(re.fullmatch(SUBJECT_PATTERN, wanted))
    asking.allow(MayReadAccessLog(wanted if named else ANYBODY, own(asking)))
    platform = platform_of(request)

    def fetch(after: tuple[datetime, str] | None, limit: int) -> tuple[Access, ...]:
        with reading(platform.engine) as connection:
            return list_accesses(
                connection,
                wanted,
                platform.clock.now(),
                limit=limit,
                operator=asking.caller.operator,
                after=after,
            )

    rows: Gathered[Access] = Gathered(())
    if named:
        rows = gather(fetch, lambda access: (access.at, access.access_id))
    facts = {"subject": wanted if named else "", "wrong": bool(wanted) and not named}
    return table_page(request, asking, "desk/access_log.html", Shown(TABLE, rows), facts)
