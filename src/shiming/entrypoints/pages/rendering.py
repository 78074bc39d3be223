"""Turn a template and its facts into an answer."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_date, format_datetime
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from shiming.accounts.asking import KnownCaller, csrf_cookie
from shiming.accounts.use_cases.gatekeeper import codes_of_principal
from shiming.entrypoints.pages.assets import assets
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.translations import translations_of
from shiming.infrastructure.http.asking import Asking
from shiming.vocabulary.errors import Text

TEMPLATES = Path(__file__).parents[1] / "templates"
#: Scripts and styles from here only, none inline; the camera's pictures are blobs of the page itself.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_DEVICES = "camera=(self), microphone=(self), geolocation=(self), payment=(), usb=()"
HEADERS = {"content-security-policy": CONTENT_POLICY, "permissions-policy": _DEVICES}
_MAIN = '<main id="main" tabindex="-1">'  # as layout.html has it
_SAID = re.compile(r"[a-z_]{1,40}")


def page(
    request: Request, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HTMLResponse:
    """Return a whole page; to HTMX, unless it follows a link for the browser, what stands in `main` alone."""
    found, facts = _prepared(request, template, context)
    html = found.render(facts)
    part = request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
    if part:
        html = html.partition(_MAIN)[2].rpartition("</main>")[0]
    return _answer(html, status)


def fragment(
    request: Request, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HTMLResponse:
    """Return a template that is part of a page."""
    found, facts = _prepared(request, template, context)
    return _answer(found.render(facts), status)


def see_other(url: str, *, said: str | None = None) -> Response:
    """Lead on after a change, so that the back button repeats nothing; `said`: what the next page tells."""
    joint = "&" if "?" in url else "?"
    return RedirectResponse(f"{url}{joint}said={said}" if said else url, 303)


@cache
def environment_of(language: str) -> jinja2.Environment:
    """Return the templates in a language; an unknown name in a template is an error, not an empty place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translations = translations_of(language)
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined] # by i18n
    environment.globals |= {"asset": lambda path: assets().url(path), "language": language}
    environment.filters |= {
        "said": partial(_said, language),
        "moment": jinja2.pass_context(_moment),
        "day": partial(_day, language),
    }
    return environment


def _prepared(
    request: Request, template: str, context: Mapping[str, Any] | None
) -> tuple[jinja2.Template, dict[str, Any]]:
    """Return a template and all that it may name; `m` are the macros, which see the same."""
    environment = environment_of(preferences_of(request).language)
    facts = {**_common(request), **(context or {})}
    facts["m"] = environment.get_template("macros.html").make_module(facts)
    return environment.get_template(template), facts


def _common(request: Request) -> dict[str, Any]:
    """Return what every template may name."""
    asking: Asking | None = getattr(request.state, "asking", None)
    caller = asking.caller if asking else None
    codes = frozenset[str]()
    if isinstance(caller, KnownCaller) and caller.principal is not None:
        codes = frozenset(codes_of_principal(caller.principal))
    platform = request.app.state.platform
    secure = platform.accounts.settings.cookies_secure
    said = request.query_params.get("said", "")
    return {
        "caller": caller,
        "may": lambda code: code in codes,
        "csrf_token": request.cookies.get(csrf_cookie(secure=secure), ""),
        "path": request.url.path,
        "preferences": preferences_of(request),
        "said": said if _SAID.fullmatch(said) else "",
        "sandbox": platform.settings.sandbox,
        "zone": platform.pack("").header.time_zone,
        "mistakes": {},
        "entered": {},
    }


_LOCALES = {"zh": "zh_Hans_CN", "en": "en_GB"}


def _said(language: str, text: Text | None) -> str:
    return "" if text is None else text.in_language(language)


def _day(language: str, day: date | None) -> str:
    return "" if day is None else str(format_date(day, "long", locale=_LOCALES[language]))


def _moment(context: jinja2.runtime.Context, instant: datetime | None) -> str | Markup:
    """Return an instant for readers and for programs: in the jurisdiction's time zone."""
    if instant is None:
        return ""
    zone, locale = ZoneInfo(context["zone"]), _LOCALES[context["language"]]
    shown = format_datetime(instant, "medium", tzinfo=zone, locale=locale)
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), shown)


def _answer(html: str, status: int) -> HTMLResponse:
    return HTMLResponse(html, status, headers=HEADERS)
