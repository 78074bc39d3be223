"""The terms of an organisation's contract: whether they hold for its next line, and agreeing to newer ones.

A line is entered under the terms that the handler agreed to for the contract. Where newer ones took effect,
its users would prove themselves in vain; they are not asked to before the handler agreed again.
"""

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Channel, EntryKind, EntryRequirement
from shiming.registrations.events import enterprise_lines as events
from shiming.registrations.model.enterprise_lines import EnterpriseContract, EnterpriseRefused
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.model.terms import AcceptTerms
from shiming.registrations.permissions.enterprise_lines import (
    MayManageEnterpriseLines,
    MayReadEnterpriseLines,
)
from shiming.registrations.rules.terms import decide_acceptance, decide_still_agreed
from shiming.registrations.store import enterprise_lines as store
from shiming.registrations.store import terms as terms_store
from shiming.registrations.use_cases.enterprise_lines import tell
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal


@asks(MayReadEnterpriseLines)
def decide_contract_terms(
    desk: Desk, connection: Connection, contract: EnterpriseContract
) -> tuple[Refusal, ...]:
    """Return why no line can be opened under the terms of a contract; nothing where they hold."""
    required = desk.policy.entries[EntryKind.OPEN].requirements
    if EntryRequirement.TERMS not in required.value:
        return ()
    current = terms_store.find_in_force(connection, contract.operator, desk.today)
    codes = decide_still_agreed(contract.terms, current.content_hash if current else None)
    return tuple(Refusal(code, required.citation) for code in codes)


@asks(MayManageEnterpriseLines)
def accept_contract_terms(
    desk: Desk, connection: Connection, contract: EnterpriseContract, version: str, *, language: str = "zh"
) -> EnterpriseContract | EnterpriseRefused:
    """Record that the handler agreed to the terms in force; to the same ones again is the same act."""
    held = store.find_contract(connection, contract.contract_id, for_update=True) or contract
    named = terms_store.find_terms(connection, held.operator, version)
    wanted = AcceptTerms(held.handler_session, version, named.content_hash if named else "", language)
    current = terms_store.find_in_force(connection, held.operator, desk.today)
    refusals = decide_acceptance(wanted, named, current, desk.policy.contracts, completed=False)
    if refusals:
        return EnterpriseRefused(refusals)
    if held.terms is not None and held.terms.content_hash == wanted.content_hash:
        return held
    agreed = TermsAcceptance(version, wanted.content_hash, desk.now, Channel.SHOP, language)
    store.change_terms(connection, held.contract_id, agreed)
    tell(desk, connection, held, events.ENTERPRISE_TERMS_ACCEPTED, {"terms": version})
    return store.find_contract(connection, held.contract_id) or held
