"""An order as a web shop would place it: a free number, a card to be sent, and the customer's link."""

from typing import TYPE_CHECKING

from shiming.entrypoints.tour_world import NUMBER, OPERATOR
from shiming.vocabulary.errors import Text, Unavailable
from shiming.vocabulary.sim_identifiers import Iccid

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from shiming.entrypoints.wiring import Platform
    from shiming.registrations.model.ordering import NewOrder

_CARD_PREFIX = "898601128512345"  # of no real card
_NUMBERS_TRIED = 50  # visitors take few


def link_of_online_order(platform: "Platform") -> str:
    """Order a telephone card online and return the path of the customer's link."""
    from shiming.entrypoints.applicant_links_api import HOME_PATH
    from shiming.registrations.model.applicant_links import ApplicantLinkRefused
    from shiming.registrations.use_cases import applicant_links, orders

    now, tools = platform.clock.now(), platform.registrations
    policy = platform.policy(platform.default_pack, platform.today())
    with platform.begin() as connection:
        wanted = _free_order(platform, connection)
        order = orders.hold_order(connection, wanted.session_id, operator=OPERATOR)
        made = applicant_links.make_link(tools, connection, order, policy=policy, now=now)
        if isinstance(made, ApplicantLinkRefused):
            raise TypeError(made)
        return f"{HOME_PATH}/{made.token}"


def card_number(serial: int) -> Iccid:
    """Return the number of a card that does not exist.

    >>> card_number(7).reveal("an example")
    '8986011285123450070'
    """
    body = f"{_CARD_PREFIX}{serial:03d}"
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(body))]
    total = sum(d // 10 + d % 10 for d in doubled)
    return Iccid.parse(f"{body}{-total % 10}")


def _free_order(platform: "Platform", connection: "Connection") -> "NewOrder":
    from shiming.identity_proofing.use_cases import challenges
    from shiming.jurisdictions.model import Channel, ProductClass, Route
    from shiming.registrations.model.lines import LineKind, SimForm
    from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderTaken
    from shiming.registrations.use_cases import orders
    from shiming.vocabulary.msisdn import Msisdn

    policy, now = platform.policy(platform.default_pack, platform.today()), platform.clock.now()
    application = challenges.Application(Channel.ONLINE, Route.STANDARD, operator=OPERATOR)
    session = challenges.open_session(platform.proofing_tools(), connection, application, policy)
    last = int(NUMBER[-3:])
    for serial in range(1, _NUMBERS_TRIED):
        number = Msisdn.parse(f"{NUMBER[:-3]}{(last + 500 + serial) % 1000:03d}")
        details = OrderDetails(number, iccid=card_number(serial), sim_form=SimForm.PHYSICAL)
        wanted = NewOrder(
            session.id, OPERATOR, LineKind.MOBILE, ProductClass.VOICE, Channel.ONLINE, details=details
        )
        outcome = orders.open_order(platform.registrations, connection, wanted, policy=policy, now=now)
        if isinstance(outcome, OrderTaken):
            return wanted
    raise Unavailable("TOUR_NUMBERS_TAKEN", Text(zh="号码已用完。", en="No number is left in the tour."))
