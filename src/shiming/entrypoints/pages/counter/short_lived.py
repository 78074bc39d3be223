"""What a journey keeps in the clerk's own browser, and nowhere else, until the next customer.

* how the holder is called, masked: the registry opens an identity to nobody at a counter once it is decided
* the token of the customer's link, which the registry keeps as a hash only: the QR code is drawn
  from it whenever the page is loaded
"""

from datetime import datetime
from urllib.parse import quote, unquote

from fastapi import Request, Response

from shiming.entrypoints.pages.counter.journey import Standing

_NAME, _LINK = "shiming_counter_name", "shiming_counter_link"
_CHARACTERS_MAX = 400  # a long masked name, percent-encoded
_HOUR_S = 3600


def remember_name(answer: Response, request: Request, standing: Standing, masked: str) -> None:
    """Keep a masked name with one journey."""
    _set(answer, request, _NAME, standing.url, quote(masked), _HOUR_S)


def name_of(request: Request) -> str | None:
    """Return the masked name of this journey's holder."""
    found = request.cookies.get(_NAME, "")[:_CHARACTERS_MAX]
    return unquote(found) or None


def remember_link(
    answer: Response, request: Request, standing: Standing, token: str, until: datetime
) -> None:
    """Keep the token of the customer's link until it runs out."""
    seconds = max(0, int((until - standing.now).total_seconds()))
    _set(answer, request, _LINK, standing.url, token, seconds)


def link_of(request: Request) -> str | None:
    """Return the token of the customer's link."""
    return request.cookies.get(_LINK, "")[:_CHARACTERS_MAX] or None


def forget(answer: Response, request: Request, standing: Standing) -> None:
    """Leave nothing of this customer behind."""
    for name in (_NAME, _LINK):
        answer.delete_cookie(
            name, path=standing.url, secure=_secure(request), httponly=True, samesite="strict"
        )


def _set(answer: Response, request: Request, name: str, path: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        secure=_secure(request),
        httponly=True,
        samesite="strict",
    )


def _secure(request: Request) -> bool:
    secure: bool = request.app.state.platform.accounts.settings.cookies_secure
    return secure
