"""In which of the two languages a request is answered.

>>> preferred("en-GB,en;q=0.8,zh;q=0.9"), preferred("zh-CN"), preferred("fr, *;q=0.1"), preferred(None)
('en', 'zh', 'en', 'en')
"""

import re

from starlette.requests import HTTPConnection

DEFAULT = "en"
LANGUAGE_COOKIE = "shiming_language"  # what was chosen on a page counts first
_CHOICE = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*"
)
_CHOICES_MAX = 20  # nobody speaks more; a longer header is not read on


def preferred(header: str | None) -> str:
    """Return `zh` or `en` by an Accept-Language header (RFC 9110 section 12.5.4)."""
    best, weight = DEFAULT, 0.0
    for part in (header or "").split(",")[:_CHOICES_MAX]:
        choice = _CHOICE.fullmatch(part)
        if choice and choice[1].lower() in {"zh", "en"} and float(choice[2] or 1) > weight:
            best, weight = choice[1].lower(), float(choice[2] or 1)
    return best


def language_of(request: HTTPConnection) -> str:
    """Return the language of a request."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in {"zh", "en"} else preferred(request.headers.get("accept-language"))
