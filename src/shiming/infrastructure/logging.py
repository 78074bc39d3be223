"""Logs for operators, without people in them.

Code logs references (`SES-...`, `EVD-...`), never personal values. As a second line of defence every
record passes a filter that masks what looks like an identity number, a passport number or a telephone
number, in the message, its arguments and an exception's text alike.

>>> redact("holder 11010519491231002X asked from +8613800138000 about EVD-0081-0G3G-50C7-1")
'holder 11**************2X asked from +86138****8000 about EVD-0081-0G3G-50C7-1'
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from shiming.vocabulary.masking import mask_identity_number, mask_phone

_PERSONAL_NUMBER = re.compile(
    r"(?<![0-9A-Za-z-])(?:\d{17}[0-9Xx]|\+?\d{10,15}|[A-Z]{1,2}\d{7,8})(?![0-9A-Za-z])"
)


def redact(text: str) -> str:
    """Mask whatever looks like a number of a person."""
    return _PERSONAL_NUMBER.sub(_masked, text)


def configure_logging(*, level: str = "WARNING", stream: TextIO | None = None) -> logging.Handler:
    """Send the package's records to `stream` (standard error) as one JSON object a line."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RedactingFormatter())
    logger = logging.getLogger("shiming")
    for former in tuple(logger.handlers):
        logger.removeHandler(former)
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    return handler


class RedactingFormatter(logging.Formatter):
    """One JSON object a line, every text of it redacted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_redacted(getattr(record, "fields", {})),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _redacted(value: Any) -> Any:
    """Mask the texts of structured fields, given as `extra={"fields": {...}}`."""
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {str(key): _redacted(each) for key, each in value.items()}
        case list() | tuple():
            return [_redacted(each) for each in value]
        case None | bool() | int() | float():
            return value
        case _:
            return type(value).__name__


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    return mask_phone(text) if text.startswith("+") else mask_identity_number(text)
