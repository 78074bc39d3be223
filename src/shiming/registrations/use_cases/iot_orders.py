"""What is ordered for a card that is sold: everything follows from its contract."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.canonical_json import content_hash
from shiming.jurisdictions.model import EntryKind, HolderKind
from shiming.registrations.model.iot import IotCard, IotContract
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.orders import (
    LineOrder,
    Representative,
    RepresentativeRole,
    TermsAcceptance,
)
from shiming.registrations.model.organisation_lines import OrganisationLine
from shiming.registrations.model.organisations import Organisation
from shiming.registrations.store.orders import add_order, find_order
from shiming.vocabulary.permissions import inside


@inside("a step of selling cards, in its transaction")
def order_of(
    connection: Connection,
    contract: IotContract,
    organisation: Organisation,
    session_id: str,
    *,
    now: datetime,
) -> LineOrder:
    """Return the order of a session, made from the contract when there is none."""
    former = find_order(connection, session_id)
    if former is not None:
        return former
    speaks = contract.terms.voice or contract.terms.sms
    order = LineOrder(
        session_id=session_id,
        operator=contract.operator,
        entry=EntryKind.OPEN,
        kind=LineKind.MOBILE if speaks else LineKind.DATA_CARD,
        product_class=contract.traffic.product,
        channel=contract.channel,
        created_at=now,
        holder_kind=HolderKind.ORGANISATION,
        organisation=contract.organisation,
        representative=Representative(
            RepresentativeRole.HANDLER,
            organisation.handler_session or contract.handler_session,
            organisation.handler_subject,
            organisation.power_of_attorney_evidence,
        ),
        contract=contract.contract_id,
        sim_form=SimForm.PHYSICAL,
        terms=TermsAcceptance(
            contract.contract_id,
            content_hash({"scene": contract.scene, "resale_clause": contract.resale_clause}),
            contract.signed_at,
            contract.channel,
        ),
    )
    add_order(connection, order)
    return order


@inside("a step of selling cards, in its transaction")
def line_of(card: IotCard) -> OrganisationLine:
    """Return the line that a card becomes."""
    return OrganisationLine(
        card.number,
        iccid=card.iccid.reveal("the line has this card"),
        imsi=card.imsi.reveal("the line has this card"),
        sim_form=SimForm.PHYSICAL,
    )
