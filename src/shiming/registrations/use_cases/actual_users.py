"""Record the actual users of an organisation's lines, one by one, by their own verified sessions.

The first user's proof registers the line: its holder is the organisation, its proof the user's. Whoever comes
next is proven in full as well; the line stays, and who used it from when to when is kept.
"""

from sqlalchemy.engine import Connection

from shiming.identity_proofing.use_cases.challenges import Application
from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, StopActor, StopReason
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.errors.orders import OrderRefusal
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.events import enterprise_lines as events
from shiming.registrations.model.enterprise_lines import (
    ActualUserRecorded,
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    EnterpriseRefused,
    LineUse,
)
from shiming.registrations.model.lines import Line, SimForm, stored_identifier
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    Representative,
    RepresentativeRole,
)
from shiming.registrations.model.organisation_lines import OrganisationLine
from shiming.registrations.model.organisation_lines import OrganisationStanding as OpeningStanding
from shiming.registrations.model.organisations import OrganisationStanding
from shiming.registrations.model.registration import (
    RegistrationPolicy,
    SessionNotUsable,
    SessionUsable,
)
from shiming.registrations.permissions.enterprise_lines import MayManageEnterpriseLines
from shiming.registrations.rules.actual_users import decide_actual_user
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.registrations.store import actual_user_links as links
from shiming.registrations.store import enterprise_lines as store
from shiming.registrations.store.holding import use_up_session
from shiming.registrations.store.orders import add_order, find_order
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.store.proven_sessions import find_proven_session
from shiming.registrations.store.sims import find_sim
from shiming.registrations.use_cases.enterprise_lines import tell
from shiming.registrations.use_cases.organisation_lines import register_organisation_line
from shiming.registrations.use_cases.organisations import Desk
from shiming.registrations.use_cases.stops import lift_stop
from shiming.vocabulary.permissions import asks, inside
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Iccid


@asks(MayManageEnterpriseLines)
def record_actual_user(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    number: str,
    session_id: str,
    *,
    registration: RegistrationPolicy,
) -> ActualUserRecorded | EnterpriseRefused:
    """Take the person of a verified session as user of a line; the first user's proof registers the line.

    (1) the same session did it before: the same answer  (2) the person is proven, the line waits for a user,
    the person uses not too many, the organisation may open lines  (3) a line that waits for its first user
    is registered; one that was vacated only gets its next user, and what stopped it for that is lifted
    """
    line = store.find_line(connection, number, for_update=True)
    if line is not None and line.contract_id != contract.contract_id:
        line = None
    if line is not None and line.line_id is not None and line.session_id == session_id:
        uses = store.list_uses(connection, line.line_id)
        return ActualUserRecorded(line.line_id, uses[-1].position, repeated=True)
    usable = decide_session_usable(
        find_proven_session(connection, session_id),
        operator=contract.operator,
        policy=registration,
        sandbox=desk.tools.sandbox,
        now=desk.now,
    )
    standing = standing_of(desk, connection, contract)
    refusals = _refusals(desk, connection, contract, line, usable=usable, standing=standing)
    if line is None or standing is None or isinstance(usable, SessionNotUsable) or refusals:
        return EnterpriseRefused(refusals)
    if line.line_id is not None:
        return _next_user(
            desk,
            connection,
            contract,
            line,
            usable,
            session_id=session_id,
            citation=registration.session_citation,
        )
    return _first_user(
        desk,
        connection,
        contract,
        line,
        usable,
        standing=standing,
        session_id=session_id,
        registration=registration,
    )


def _first_user(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    line: EnterpriseLine,
    usable: SessionUsable,
    *,
    standing: OrganisationStanding,
    session_id: str,
    registration: RegistrationPolicy,
) -> ActualUserRecorded | EnterpriseRefused:
    """Register a line that waits for its first user."""
    order = find_order(connection, session_id) or order_for(
        desk, connection, contract, line, standing, session_id=session_id
    )
    if order.organisation != contract.organisation:
        return EnterpriseRefused(
            (Refusal(OrderRefusal.IDENTIFIER_NOT_ORDERED, registration.session_citation),)
        )
    opened = register_organisation_line(
        desk.tools,
        connection,
        order,
        OrganisationLine(stored_identifier(line.number), iccid=line.iccid),
        standing=OpeningStanding(contract.organisation, 1, standing.refusals),
        policy=registration,
        now=desk.now,
    )
    if not isinstance(opened, Line):
        return EnterpriseRefused(opened.refusals)
    return _record_use(
        desk, connection, contract, line, usable, session_id=session_id, line_id=opened.line_id
    )


def _next_user(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    line: EnterpriseLine,
    usable: SessionUsable,
    *,
    session_id: str,
    citation: str,
) -> ActualUserRecorded | EnterpriseRefused:
    line_id = line.line_id or ""
    if not use_up_session(connection, session_id, by=line_id):  # another registration was faster
        return EnterpriseRefused((Refusal(RefusalCode.SESSION_CONSUMED, citation),))
    recorded = _record_use(desk, connection, contract, line, usable, session_id=session_id, line_id=line_id)
    lift_stop(
        desk.tools,
        connection,
        line_id,
        reason=StopReason.ACTUAL_USER_LEFT,
        actor=StopActor.SYSTEM,
        now=desk.now,
        policy=desk.policy,
    )
    return recorded


def _record_use(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    line: EnterpriseLine,
    usable: SessionUsable,
    *,
    session_id: str,
    line_id: str,
) -> ActualUserRecorded:
    position = len(store.list_uses(connection, line_id)) + 1
    store.add_use(
        connection,
        LineUse(
            line_id,
            position,
            contract.contract_id,
            line.user_reference,
            session_id,
            usable.subject,
            desk.now,
        ),
    )
    store.change_line(
        connection,
        line.number,
        state=EnterpriseLineState.REGISTERED.value,
        line_id=line_id,
        session_id=session_id,
        subject=usable.subject,
        vacated_until=None,
    )
    links.close_links(connection, (line.number,), desk.now)
    facts: dict[str, Fact] = {
        "line": line_id,
        "session": session_id,
        "subject": usable.subject,
        "position": position,
    }
    tell(desk, connection, contract, events.ACTUAL_USER_RECORDED, facts)
    return ActualUserRecorded(line_id, position)


@inside("shared by the ways of proving an actual user")
def order_for(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    line: EnterpriseLine,
    standing: OrganisationStanding,
    *,
    session_id: str,
    application: Application | None = None,
) -> LineOrder:
    """Write the order of an actual user's session: the organisation's line, the handler's authority."""
    identifier = stored_identifier(line.number)
    card = find_sim(connection, Iccid(line.iccid)) if line.iccid else None
    handler = Representative(
        RepresentativeRole.HANDLER,
        contract.handler_session,
        standing.handler_subject,
        standing.power_of_attorney_evidence,
    )
    order = LineOrder(
        session_id=session_id,
        operator=contract.operator,
        entry=EntryKind.OPEN,
        kind=line.kind,
        product_class=line.product_class,
        channel=application.channel if application else Channel.SHOP,
        created_at=desk.now,
        identifier=identifier,
        holder_kind=HolderKind.ORGANISATION,
        organisation=contract.organisation,
        category=application.category if application else None,
        representative=handler,
        contract=contract.contract_id,
        iccid=line.iccid,
        imsi=card.imsi.reveal("order") if card else None,
        sim_form=card.form if card else SimForm.PHYSICAL if line.iccid else None,
        terms=contract.terms,
        confirmation=LineConfirmation(identifier, ConfirmationMethod.OWN_DEVICE, desk.now)
        if application
        else None,
    )
    add_order(connection, order)
    return order


def _refusals(
    desk: Desk,
    connection: Connection,
    contract: EnterpriseContract,
    line: EnterpriseLine | None,
    *,
    usable: SessionUsable | SessionNotUsable,
    standing: OrganisationStanding | None,
) -> tuple[Refusal, ...]:
    refusals = usable.refusals if isinstance(usable, SessionNotUsable) else ()
    lines_of_user = (
        store.count_lines_of_user(connection, usable.subject, contract.operator)
        if isinstance(usable, SessionUsable)
        else 0
    )
    refusals += decide_actual_user(
        line.state if line else None, lines_of_user=lines_of_user, policy=desk.policy
    )
    return refusals + (standing.refusals if standing else ())


@inside("shared by the ways of proving an actual user")
def standing_of(
    desk: Desk, connection: Connection, contract: EnterpriseContract
) -> OrganisationStanding | None:
    """Return how the organisation of a contract stands now."""
    organisation = find_organisation(connection, contract.organisation)
    if organisation is None:
        return None
    return decide_organisation_standing(organisation, desk.policy, now=desk.now)
