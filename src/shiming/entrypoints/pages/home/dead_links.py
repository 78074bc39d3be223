"""A link that opens nothing (any more): its bearer gets a page of its own, which says why and whom to ask.

raise dead_link(refusals, Giver.SHOP)      the page is `home/dead_link.html`, 404 or 410
"""

from enum import StrEnum
from typing import Annotated

from fastapi import Path

from shiming.infrastructure.http.problems import Refusal as Refused
from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import Refusal

NOT_FOUND, GONE = 404, 410
#: Whatever stands there: a link that was cut off in a message is told to be one, by a page, not by a rule.
LinkToken = Annotated[str, Path(description="As it was given out.")]
_ASK = Text(
    zh="如有疑问，请联系发给您链接的营业厅或单位。",
    en="If you are in doubt, ask whoever gave you the link.",
)


class Giver(StrEnum):
    """Who gave the link, and can give another one."""

    SHOP = "shop"  # or an online store: an order of somebody's own
    ORGANISATION = "organisation"  # to the user of one of its lines
    OPERATOR = "operator"  # a receipt by message
    CLERK = "clerk"  # a question at the counter, on the customer's own phone


class End(StrEnum):
    """What became of a link."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    REPLACED = "replaced"
    TAKEN_BACK = "taken_back"
    STOPPED = "stopped"
    ORDER_GONE = "order_gone"
    LINE_GONE = "line_gone"


_ENDS = {
    "APPLICANT_LINK_EXPIRED": End.EXPIRED,
    "APPLICANT_LINK_REPLACED": End.REPLACED,
    "APPLICANT_LINK_REVOKED": End.TAKEN_BACK,
    "APPLICANT_LINK_STOPPED": End.STOPPED,
    "APPLICANT_ORDER_GONE": End.ORDER_GONE,
    "ACTUAL_USER_LINK_EXPIRED": End.EXPIRED,
    "ACTUAL_USER_LINK_USED": End.USED,
    "RECEIPT_LINK_EXPIRED": End.EXPIRED,
    "RECEIPT_LINK_REPLACED": End.REPLACED,
    "RECEIPT_LINK_REVOKED": End.LINE_GONE,
    "CONFIRMATION_CODE_EXPIRED": End.EXPIRED,
    "CONFIRMATION_CODE_USED": End.USED,
    "ORDER_COMPLETED": End.USED,
    "CONFIRMATION_ATTEMPTS_USED_UP": End.TAKEN_BACK,
    "CONFIRMATION_OF_OTHER_LINE": End.TAKEN_BACK,
}


class DeadLink(Refused):
    """The refusal of a link: what became of it, and who can give another one."""

    def __init__(self, code: str, text: Text, giver: Giver) -> None:
        super().__init__(code, text, _ASK)
        self.giver = giver
        self.end = _ENDS.get(code, End.UNKNOWN)

    @property
    def status(self) -> int:
        """Return the HTTP status of its page: there never was one, or it is over."""
        return NOT_FOUND if self.end is End.UNKNOWN else GONE


def dead_link(refusals: tuple[Refusal, ...], giver: Giver) -> DeadLink:
    """Return the refusal of a link in the words of its bearer."""
    return DeadLink(refusals[0].code.value, refusals[0].words.subscriber, giver)
