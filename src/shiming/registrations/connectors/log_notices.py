"""The notice channel of an installation without one: it writes down that somebody would have been told.

Nobody is reached by it, and it says so at every message and when it is made. The log holds references and
the name of the template; number, contact, text, code and link stay out.
"""

import logging
from collections import OrderedDict

from shiming.registrations.ports.notices import NoticeAccepted, NoticeMessage, NoticeRejected

_LOGGER = logging.getLogger(__name__)
REMEMBERED_MAX = 10_000  # keys of messages that are not logged twice: a day of a small operator


class LogNotices:
    """`NoticePort` over the log."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, str] = OrderedDict()
        _LOGGER.warning("no notice channel is configured: notices go to this log only, and reach nobody")

    def send(self, message: NoticeMessage) -> NoticeAccepted | NoticeRejected:
        """Log the references of a message, once."""
        reference = self._seen.get(message.dedupe_key)
        if reference is None:
            reference = f"log:{message.notice_id}"
            self._seen[message.dedupe_key] = reference
            if len(self._seen) > REMEMBERED_MAX:
                self._seen.popitem(last=False)
            _LOGGER.warning(
                "notice %s (%s) for %s of %s went to the log only",
                message.notice_id,
                message.template,
                "a contact" if message.line_id is None else f"line {message.line_id}",
                message.operator,
            )
        return NoticeAccepted(reference)
