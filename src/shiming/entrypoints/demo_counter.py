"""What stands between a proof and a line at the demonstration's counter: pool, terms, order, confirmation."""

from typing import TYPE_CHECKING

from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from shiming.entrypoints.wiring import Platform
    from shiming.registrations.model.terms import PublishedTerms

ICCID = "89860112851234567891"  # of no real card
BLOCK_DIGITS = 4  # the demonstration's pool is ten thousand numbers
TERMS_VERSION = "demo-1"
CLAUSES = {  # by name; the first is the one that the law asks for
    "transfer_and_resale": Text(
        zh="本号码不得转让、出租、出借或转售；如有违反，将停止服务。",
        en="The number must not be passed on, rented, lent or resold; service stops where it is.",
    ),
    "real_name": Text(
        zh="本号码由登记人本人凭真实身份办理和使用；身份信息变更时请及时更新。",
        en="The line is registered to and used by you, by your true identity; tell us when it changes.",
    ),
    "personal_data": Text(
        zh="身份信息加密保存，只用于依法实名登记，期满即予销毁；您可以查询谁看过您的信息。",
        en="What proves who you are is kept encrypted, for this registration only, and destroyed when its "
        "time is over. You may ask who has looked at it.",
    ),
    "ending": Text(
        zh="您可以随时到营业厅或通过客服办理销户。",
        en="You may end this contract at any time, in a shop or by telephone.",
    ),
}


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
        fill_pool(platform, connection, operator, number)
        orders.open_order(tools, connection, wanted, policy=policy, now=now)
        _accept_terms(platform, connection, operator, session_id)
        issued = confirmations.issue_code(
            tools, connection, session_id, operator=operator, policy=policy.contracts, now=now
        )
        if isinstance(issued, CodeIssued):
            confirmations.confirm_on_device(
                tools, connection, issued.link_token, policy=policy.contracts, now=now
            )


def fill_pool(platform: "Platform", connection: "Connection", operator: str, number: str) -> None:
    """Put the ten thousand numbers around this one into an operator's pool."""
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


def publish_terms(platform: "Platform", connection: "Connection", operator: str) -> "PublishedTerms":
    """Publish the demonstration's terms of service, in force from today."""
    from shiming.registrations.model.terms import Clause, Terms, TermsPublished
    from shiming.registrations.use_cases import terms

    today = platform.today()
    clauses = tuple(Clause(name, text) for name, text in CLAUSES.items())
    published = terms.publish_terms(
        platform.registrations,
        connection,
        Terms(operator, TERMS_VERSION, today, Text(zh="电话用户服务协议", en="Terms of service"), clauses),
        policy=platform.policy(platform.default_pack, today).contracts,
        today=today,
        now=platform.clock.now(),
    )
    if not isinstance(published, TermsPublished):
        raise TypeError(published)
    return published.published


def _accept_terms(platform: "Platform", connection: "Connection", operator: str, session_id: str) -> None:
    from shiming.registrations.model.terms import AcceptTerms
    from shiming.registrations.use_cases import terms

    today = platform.today()
    published = publish_terms(platform, connection, operator)
    terms.accept_terms(
        platform.registrations,
        connection,
        AcceptTerms(session_id, TERMS_VERSION, published.content_hash, "zh"),
        operator=operator,
        policy=platform.policy(platform.default_pack, today).contracts,
        today=today,
        now=platform.clock.now(),
    )
