"""Links by which actual users prove themselves on their own phones.

A link carries 256 random bits, of which only the hash is kept; it opens proofing sessions for its own line
and nothing else, expires as the pack says, and is used up by the user that it proved. It goes to the contact
that the organisation named; the clerk sees it only where there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.tools import ProofingTools
from shiming.jurisdictions.model import EntryKind
from shiming.registrations.errors.enterprise_lines import ActualUserRefusal
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.events import enterprise_lines as events
from shiming.registrations.model.enterprise_lines import (
    ActualUserLink,
    ActualUserRecorded,
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    EnterpriseRefused,
    LinkMade,
    LinkSent,
    LinkSession,
    LinkShown,
)
from shiming.registrations.model.lines import stored_identifier
from shiming.registrations.model.notice_texts import ACTUAL_USER_LINK
from shiming.registrations.model.notices import NewNotice
from shiming.registrations.model.registration import RegistrationPolicy
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.rules.actual_users import (
    decide_actual_user,
    decide_link,
    decide_link_session,
    has_what_it_needs,
)
from shiming.registrations.store import actual_user_links as links
from shiming.registrations.store import enterprise_lines as store
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.use_cases.actual_users import order_for, record_actual_user, standing_of
from shiming.registrations.use_cases.contract_terms import decide_contract_terms
from shiming.registrations.use_cases.enterprise_lines import tell
from shiming.registrations.use_cases.link_tokens import draw_token, hash_token
from shiming.registrations.use_cases.notices import queue_notice, record_reached
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal

LINKS_AT_ONCE_MAX = 500  # a page of them; large organisations ask again
_FINAL = frozenset({"decided", "expired", "abandoned"})


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody proves themselves by a link."""

    application: Application
    confirmed: bool  # "yes, this line": they saw the organisation and the number


@asks(MayManageEnterpriseLines)
def make_links(
    desk: Desk, connection: Connection, contract: EnterpriseContract, numbers: Sequence[str] | None = None
) -> tuple[LinkMade, ...] | EnterpriseRefused:
    """Make links for lines without user: those named, or the next ones that have no link that works.

    A new link takes the place of the former one to the same line. Where the organisation named a contact, the
    link goes there by a notice, and is told to nobody else; the other tokens are returned once. None is kept.
    """
    standing = standing_of(desk, connection, contract)
    if standing is None or standing.refusals:
        return EnterpriseRefused(standing.refusals if standing else ())
    wanted = (
        links.numbers_without_link(connection, contract.contract_id, now=desk.now, limit=LINKS_AT_ONCE_MAX)
        if numbers is None
        else tuple(numbers[:LINKS_AT_ONCE_MAX])
    )
    found = [store.find_line(connection, number, for_update=True) for number in sorted(wanted)]
    lines = [line for line in found if line is not None and line.contract_id == contract.contract_id]
    ready = [line for line in lines if has_what_it_needs(line, desk.policy)]
    if numbers is None and ready:
        lines = ready  # the others wait for their cards
    refusals = _link_refusals(desk, len(found) - len(lines) if numbers else 0, lines)
    if any(line.line_id is None for line in lines):
        refusals += decide_contract_terms(desk, connection, contract)
    if refusals:
        return EnterpriseRefused(refusals)
    expires_at = desk.now + timedelta(days=desk.policy.enterprise.link_days.value)
    made = [_make(desk, connection, contract, line, expires_at) for line in lines]
    if made:
        links.close_links(connection, [each.number for each, _ in made], desk.now)
        links.add_links(connection, [link for _, link in made])
        sent = sum(each.notice_id is not None for each, _ in made)
        tell(desk, connection, contract, events.ACTUAL_USER_LINKS_MADE, {"links": len(made), "sent": sent})
    return tuple(each for each, _ in made)


@asks(MayReadEnterpriseLines)
def list_sent_links(
    connection: Connection,
    contract: EnterpriseContract,
    *,
    arrived: bool | None = None,
    after: str = "",
    limit: int,
) -> tuple[LinkSent, ...]:
    """Return the links that are to be used, by line; `arrived` False: those that reached nobody yet."""
    return links.list_sent(connection, contract.contract_id, arrived=arrived, after=after, limit=limit)


@inside("the link's token is the permission: 256 bits that only its bearer has")
def show_link(desk: Desk, connection: Connection, token: str) -> LinkShown | EnterpriseRefused:
    """Show what will happen: for which organisation, which line (masked), until when."""
    link = _find(connection, token)
    refusals = decide_link(link, desk.policy, now=desk.now)
    if link is None or refusals:
        return EnterpriseRefused(refusals)
    contract = store.find_contract(connection, link.contract_id)
    organisation = contract and find_organisation(connection, contract.organisation)
    return LinkShown(
        organisation_name=organisation.name if organisation else "",
        number_masked=stored_identifier(link.number).masked(),
        expires_at=link.expires_at,
        session_id=link.session_id,
    )


@inside("the link's token is the permission: 256 bits that only its bearer has")
def open_link_session(
    desk: Desk, proofing: ProofingTools, connection: Connection, token: str, wish: Wish
) -> LinkSession | EnterpriseRefused:
    """Open the session of a link, or return the one that is still open; its order is written with it."""
    link = _find(connection, token, for_update=True)
    refusals = decide_link(link, desk.policy, now=desk.now)
    if link is None or refusals:
        return EnterpriseRefused(refusals)
    former = link.session_id and links.session_stands(connection, link.session_id)
    if former and link.session_id and former[0] not in _FINAL and former[2] > desk.now:
        return LinkSession(link.session_id, former[2], repeated=True)
    refusals = decide_link_session(link, desk.policy, confirmed=wish.confirmed)
    contract = store.find_contract(connection, link.contract_id)
    line = store.find_line(connection, link.number)
    refusals += decide_actual_user(line.state if line else None, lines_of_user=0, policy=desk.policy)
    standing = standing_of(desk, connection, contract) if contract else None
    refusals += standing.refusals if standing else ()
    if contract is not None and line is not None and line.line_id is None:
        refusals += decide_contract_terms(desk, connection, contract)
    if contract is None or line is None or standing is None or refusals:
        return EnterpriseRefused(refusals)
    session = open_session(proofing, connection, wish.application, desk.policy)
    links.change_link(connection, link.token_hash, session_id=session.id, sessions=link.sessions + 1)
    order_for(desk, connection, contract, line, standing, session_id=session.id, application=wish.application)
    if link.notice_id is not None:
        record_reached(desk.tools.privacy, connection, link.notice_id, now=desk.now)
    tell(desk, connection, contract, events.ACTUAL_USER_SESSION_OPENED, {"session": session.id})
    return LinkSession(session.id, session.expires_at)


@inside("the link's token is the permission: 256 bits that only its bearer has")
def session_of_link(desk: Desk, connection: Connection, token: str) -> ActualUserLink | EnterpriseRefused:
    """Return a link that works: its bearer may act on `session_id`, and on nothing else."""
    link = _find(connection, token)
    refusals = decide_link(link, desk.policy, now=desk.now)
    return EnterpriseRefused(refusals) if link is None or refusals else link


@inside("the link's token is the permission: 256 bits that only its bearer has")
def settle_link(
    desk: Desk, connection: Connection, token: str, *, registration: RegistrationPolicy
) -> ActualUserRecorded | EnterpriseRefused:
    """Record the user whom the session of a link proved, and close the link. Twice is once."""
    link = _find(connection, token, for_update=True)
    if link is None or link.session_id is None:
        return EnterpriseRefused(decide_link(None, desk.policy, now=desk.now))
    contract = store.find_contract(connection, link.contract_id)
    if contract is None:  # pragma: no cover - contracts are never deleted
        return EnterpriseRefused(decide_link(None, desk.policy, now=desk.now))
    if link.closed_at is None:
        refusals = decide_link(link, desk.policy, now=desk.now)
        if refusals:
            return EnterpriseRefused(refusals)
    return record_actual_user(
        desk, connection, contract, link.number, link.session_id, registration=registration
    )


def _link_refusals(desk: Desk, unknown: int, lines: Sequence[EnterpriseLine]) -> tuple[Refusal, ...]:
    enterprise = desk.policy.enterprise
    refusals = []
    if unknown:
        refusals.append(Refusal(ActualUserRefusal.LINE_UNKNOWN, enterprise.link_days.citation))
    if any(line.state is EnterpriseLineState.REGISTERED for line in lines):
        refusals.append(Refusal(ActualUserRefusal.LINE_HAS_USER, enterprise.exit_days.citation))
    if not all(has_what_it_needs(line, desk.policy) for line in lines):
        citation = desk.policy.entries[EntryKind.OPEN].requirements.citation
        refusals.append(Refusal(OrderRefusal.SIM_MISSING, citation))
    return tuple(refusals)


def _make(
    desk: Desk, connection: Connection, contract: EnterpriseContract, line: EnterpriseLine, until: datetime
) -> tuple[LinkMade, ActualUserLink]:
    token = draw_token(desk.tools.privacy)
    key = hash_token(token)
    notice = _queue(desk, connection, contract, line, key) if line.contact_evidence else None
    link = ActualUserLink(
        token_hash=key,
        number=line.number,
        contract_id=contract.contract_id,
        operator=contract.operator,
        made_at=desk.now,
        expires_at=until,
        notice_id=notice,
    )
    given = "" if notice else token  # the notice draws one of its own when it is sent
    return LinkMade(line.number, line.user_reference, given, until, notice), link


def _queue(
    desk: Desk, connection: Connection, contract: EnterpriseContract, line: EnterpriseLine, key: str
) -> str:
    new = NewNotice(
        operator=contract.operator,
        line_id=None,
        subject=contract.organisation,
        template=ACTUAL_USER_LINK.template,
        text=ACTUAL_USER_LINK.text,
        dedupe_key=f"{ACTUAL_USER_LINK.template}:{key}",
        about=contract.contract_id,
        campaign=f"links-{contract.contract_id}",
        contact_evidence=line.contact_evidence,
    )
    return queue_notice(desk.tools.privacy, connection, new, now=desk.now).notice_id


def _find(connection: Connection, token: str, *, for_update: bool = False) -> ActualUserLink | None:
    return links.find_link(connection, hash_token(token), for_update=for_update)
