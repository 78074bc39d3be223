"""What stands between a proof and a line at the demonstration's counter: pool, terms, order, confirmation."""

from typing import TYPE_CHECKING

from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from shiming.entrypoints.wiring import Platform

ICCID = "89860112851234567891"  # of no real card
BLOCK_DIGITS = 4  # the demonstration's pool is ten thousand numbers
TERMS_VERSION = "demo-1"


def take_order(platform: "Platform", operator: str, number: str, session_id: str) -> None:
    """Order a telephone card for the person of a session: terms accepted, the one line confirmed."""
    from shiming.jurisdictions.model import Channel, ProductClass
    from shiming.registrations.model.confirmation import CodeIssued
    from shiming.registrations.model.lines import LineKind, SimForm
    from shiming.registrations.model.ordering import NewOrder, OrderDetails
    from shiming.registrations.use_cases import confirmations, orders
    from shiming.vocabulary.msisdn import Msisdn
    from shiming.vocabulary.sim_identifiers import Iccid

    tools, now = platform.registrations, platform.clock.now()
    policy = platform.policy(platform.default_pack, platform.today())
    details = OrderDetails(Msisdn.parse(number), iccid=Iccid.parse(ICCID), sim_form=SimForm.PHYSICAL)
    wanted = NewOrder(
        session_id, operator, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, details=details
    )
    with platform.begin() as connection:
        _fill_pool(platform, connection, operator, number)
        orders.open_order(tools, connection, wanted, policy=policy, now=now)
        _accept_terms(platform, connection, operator, session_id)
        issued = confirmations.issue_code(
            tools, connection, session_id, operator=operator, policy=policy.contracts, now=now
        )
        if isinstance(issued, CodeIssued):
            confirmations.confirm_on_device(
                tools, connection, issued.link_token, policy=policy.contracts, now=now
            )


def _fill_pool(platform: "Platform", connection: "Connection", operator: str, number: str) -> None:
    from shiming.registrations.model.lines import LineKind
    from shiming.registrations.model.numbers import NewBlock, NumberRange
    from shiming.registrations.use_cases.number_blocks import add_block

    prefix = number[:-BLOCK_DIGITS]
    numbers = NumberRange.parse(prefix + "0" * BLOCK_DIGITS, prefix + "9" * BLOCK_DIGITS)
    policy = platform.policy(platform.default_pack, platform.today())
    add_block(
        platform.registrations,
        connection,
        NewBlock(operator, numbers, LineKind.MOBILE),
        now=platform.clock.now(),
        policy=policy,
    )


def _accept_terms(platform: "Platform", connection: "Connection", operator: str, session_id: str) -> None:
    from shiming.registrations.model.terms import TRANSFER_CLAUSE, AcceptTerms, Clause, Terms, TermsPublished
    from shiming.registrations.use_cases import terms

    now, today = platform.clock.now(), platform.today()
    policy = platform.policy(platform.default_pack, today).contracts
    clause = Text(zh="不得转让、出租、出借或转售。", en="Not to be passed on, rented, lent or resold.")
    published = terms.publish_terms(
        platform.registrations,
        connection,
        Terms(
            operator,
            TERMS_VERSION,
            today,
            Text(zh="服务协议", en="Terms of service"),
            (Clause(TRANSFER_CLAUSE, clause),),
        ),
        policy=policy,
        today=today,
        now=now,
    )
    if not isinstance(published, TermsPublished):
        raise TypeError(published)
    accepted = AcceptTerms(session_id, TERMS_VERSION, published.published.content_hash, "zh")
    terms.accept_terms(
        platform.registrations,
        connection,
        accepted,
        operator=operator,
        policy=policy,
        today=today,
        now=now,
    )
