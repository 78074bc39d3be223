"""What a counter usually opens, kept in its own browser: operator, place, product; nothing of a customer."""

from dataclasses import dataclass

from fastapi import Request, Response

_COOKIE = "shiming_counter_preset"
_KEPT_S = 90 * 24 * 3600
_CHARACTERS_MAX = 120


@dataclass(frozen=True, slots=True)
class Preset:
    """What was opened last at this counter."""

    operator: str = ""
    channel: str = ""
    offer: str = ""


def preset_of(request: Request) -> Preset:
    """Return what this counter usually opens; what is damaged is nothing."""
    parts = request.cookies.get(_COOKIE, "")[:_CHARACTERS_MAX].split("/")
    return Preset(*parts) if len(parts) == len(Preset.__slots__) else Preset()


def remember_preset(answer: Response, request: Request, preset: Preset) -> None:
    """Keep what was opened for the next customer."""
    secure: bool = request.app.state.platform.accounts.settings.cookies_secure
    value = f"{preset.operator}/{preset.channel}/{preset.offer}"
    answer.set_cookie(
        _COOKIE, value, max_age=_KEPT_S, path="/counter", secure=secure, httponly=True, samesite="strict"
    )
