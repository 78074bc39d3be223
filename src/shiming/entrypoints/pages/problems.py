"""Errors as pages: what happened and what to do, for people; programs get a problem document (RFC 9457)."""

from urllib.parse import quote

from fastapi import Request, Response

from shiming.entrypoints.pages.home.dead_links import DeadLink
from shiming.entrypoints.pages.rendering import fragment, page
from shiming.infrastructure.http.asking import Unauthenticated
from shiming.vocabulary.errors import ShimingError

SIGN_IN = "/sign-in"
_FAULTS_FROM = 500


def problem_page(request: Request, error: ShimingError, status: int) -> Response | None:
    """Return the page of an error; None where a program asked."""
    if not for_a_person(request):
        return None
    partly = request.headers.get("hx-request") == "true"
    if isinstance(error, DeadLink) and not partly:
        return _of_a_dead_link(request, error)
    if isinstance(error, Unauthenticated):
        return _to_sign_in(request, partly=partly)
    facts = {
        "error": error,
        "status": status,
        "fault": status >= _FAULTS_FROM,
        "request_id": getattr(request.state, "request_id", ""),
    }
    if partly:
        answer = fragment(request, "problem_notice.html", facts, status=status)
        answer.headers["hx-retarget"], answer.headers["hx-reswap"] = "#notices", "innerHTML"
        return answer
    return page(request, "problem.html", facts, status=status)


def for_a_person(request: Request) -> bool:
    """Say whether a browser asked for a page."""
    return request.headers.get("hx-request") == "true" or "text/html" in request.headers.get("accept", "")


def _of_a_dead_link(request: Request, error: DeadLink) -> Response:
    facts = {"error": error, "end": error.end.value, "giver": error.giver.value}
    answer = page(request, "home/dead_link.html", facts, status=error.status)
    # The address was a permission: no browser keeps the page, no other site learns where it was.
    answer.headers["cache-control"], answer.headers["referrer-policy"] = "no-store", "no-referrer"
    return answer


def _to_sign_in(request: Request, *, partly: bool) -> Response:
    shown = request.headers.get("hx-current-url") if partly else None
    path = request.url.path if request.method == "GET" and not partly else "/desk"
    target = f"{SIGN_IN}?next={quote(path)}" if shown is None else SIGN_IN
    if partly:
        return Response(status_code=204, headers={"hx-redirect": target})
    return Response(status_code=303, headers={"location": target})
