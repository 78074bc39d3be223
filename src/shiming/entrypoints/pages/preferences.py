"""How somebody wants to see pages: language, size of text, contrast; kept in cookies of their own browser."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.requests import HTTPConnection

from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import open_to_all
from shiming.infrastructure.http.language import LANGUAGE_COOKIE, language_of

TEXT_COOKIE, CONTRAST_COOKIE = "shiming_text", "shiming_contrast"
TEXT_SIZES = ("normal", "large", "larger")
CONTRASTS = ("normal", "high")
_KEPT_S = 365 * 24 * 3600
_NEXT_CHARACTERS_MAX = 300  # paths of ours are shorter

router = page_router()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a page is rendered by."""

    language: str
    text: str
    contrast: str


def preferences_of(request: HTTPConnection) -> Preferences:
    """Return what the browser keeps; what it does not know is the usual."""
    text, contrast = request.cookies.get(TEXT_COOKIE), request.cookies.get(CONTRAST_COOKIE)
    return Preferences(
        language=language_of(request),
        text=text if text in TEXT_SIZES else TEXT_SIZES[0],
        contrast=contrast if contrast in CONTRASTS else CONTRASTS[0],
    )


def local_path(path: str | None, otherwise: str = "/") -> str:
    r"""Return a path of this site; whatever leads elsewhere becomes `otherwise`.

    >>> local_path("/counter?said=ok"), local_path("//evil.example"), local_path("/\\evil")
    ('/counter?said=ok', '/', '/')
    """
    if not path or len(path) > _NEXT_CHARACTERS_MAX or not path.startswith("/"):
        return otherwise
    leads_away = path[1:2] in {"/", "\\"} or any(ord(character) < ord(" ") for character in path)
    return otherwise if leads_away else path


@router.post("/preferences", dependencies=[open_to_all("how a page looks is nobody else's matter")])
def keep_preferences(
    request: Request,
    language: Annotated[Literal["zh", "en"] | None, Form()] = None,
    text: Annotated[Literal["normal", "large", "larger"] | None, Form()] = None,
    contrast: Annotated[Literal["normal", "high"] | None, Form()] = None,
    back: Annotated[str | None, Form(max_length=_NEXT_CHARACTERS_MAX)] = None,
) -> Response:
    """Keep what was chosen, and show the page again."""
    answer = RedirectResponse(local_path(back), 303)
    secure = request.url.scheme == "https"
    for name, value in ((LANGUAGE_COOKIE, language), (TEXT_COOKIE, text), (CONTRAST_COOKIE, contrast)):
        if value is not None:
            answer.set_cookie(
                name, value, max_age=_KEPT_S, path="/", secure=secure, httponly=True, samesite="lax"
            )
    return answer
