"""The HTTP application: every feature's routes behind one edge.

`create_app(platform)` builds it; `shiming serve` runs it. A route states what it asks (`asked`) or why it is
open to all (`open_to_all`); the application does not start with one that states neither.
"""

import contextlib
import importlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from shiming.entrypoints.http_problems import STATUSES
from shiming.entrypoints.http_refusals import add_refusals
from shiming.entrypoints.http_system import checks_of, system_router
from shiming.entrypoints.live_clips import LiveClips
from shiming.entrypoints.openapi import document
from shiming.entrypoints.pages.forms import CsrfField
from shiming.entrypoints.pages.problems import problem_page
from shiming.infrastructure.http.asking import gates_of
from shiming.infrastructure.http.heavy_work import HeavyWork
from shiming.infrastructure.http.metrics import HttpFigures
from shiming.infrastructure.http.rate_limits import RateLimits, TokenBuckets
from shiming.infrastructure.http.request_log import RequestEdge
from shiming.infrastructure.http.spool import Spool
from shiming.infrastructure.telemetry import Traces

#: Where the features' routes are; every module has a `router` with paths below /v1.
ROUTERS = (
    "shiming.identity_proofing.api",
    "shiming.identity_proofing.api_reviews",
    "shiming.identity_proofing.api_card_reading",
    "shiming.registrations.api.registrations",
    "shiming.registrations.api.orders",
    "shiming.registrations.api.reviews",
    "shiming.registrations.api.stops",
    "shiming.registrations.api.numbers",
    "shiming.entrypoints.sim_scan_api",
    "shiming.registrations.api.sims",
    "shiming.registrations.api.organisations",
    "shiming.registrations.api.organisation_papers",
    "shiming.registrations.api.organisation_people",
    "shiming.registrations.api.enterprise_lines",
    "shiming.registrations.api.enterprise_links",
    "shiming.registrations.api.key_services",
    "shiming.registrations.api.actual_user_links",
    "shiming.entrypoints.link_steps_api",
    "shiming.entrypoints.applicant_links_api",
    "shiming.registrations.api.terms",
    "shiming.registrations.api.confirmations",
    "shiming.registrations.api.contract_confirmations",
    "shiming.registrations.api.receipts",
    "shiming.registrations.api.receipt_messages",
    "shiming.registrations.api.representation",
    "shiming.registrations.api.holder_clocks",
    "shiming.registrations.api.repudiations",
    "shiming.registrations.api.notices",
    "shiming.registrations.api.provisioning",
    "shiming.registrations.api.bss_callbacks",
    "shiming.registrations.api.reconciling",
    "shiming.registrations.api.iot_contracts",
    "shiming.registrations.api.iot_cards",
    "shiming.registrations.api.iot_reports",
    "shiming.transfers.api.lines",
    "shiming.transfers.api.ports",
    "shiming.transfers.api.cases",
    "shiming.transfers.api.terms_campaigns",
    "shiming.privacy.api",
    "shiming.accounts.api",
    "shiming.entrypoints.jobs_api",
)
#: Pages for people; `router` again, with whole paths.
PAGES = (
    "shiming.entrypoints.pages.assets",
    "shiming.entrypoints.pages.preferences",
    "shiming.entrypoints.pages.account.home",
    "shiming.entrypoints.pages.account.sign_in",
    "shiming.entrypoints.pages.account.own",
    "shiming.entrypoints.pages.counter.start",
    "shiming.entrypoints.pages.counter.steps",
    "shiming.entrypoints.pages.counter.number",
    "shiming.entrypoints.pages.counter.contract",
    "shiming.entrypoints.pages.counter.activation",
    "shiming.entrypoints.pages.counter.receipt",
    "shiming.entrypoints.pages.home.applicant",
    "shiming.entrypoints.pages.home.actual_user",
    "shiming.entrypoints.pages.home.confirmation",
    "shiming.entrypoints.pages.home.receipt",
    "shiming.entrypoints.pages.people.hand_over",
    "shiming.entrypoints.pages.people.representative",
    "shiming.entrypoints.pages.people.referee",
    "shiming.entrypoints.pages.company.organisations",
    "shiming.entrypoints.pages.company.people",
    "shiming.entrypoints.pages.company.contracts",
    "shiming.entrypoints.pages.equal_paths.at_the_counter",
    "shiming.entrypoints.pages.devices.enrolment",
    "shiming.entrypoints.pages.devices.reader_panel",
    "shiming.entrypoints.pages.review.queue",
    "shiming.entrypoints.pages.review.case",
    "shiming.entrypoints.pages.review.figures",
    "shiming.entrypoints.pages.desk.routes",
)
SPOOL = "spool"
_LIMITS = RateLimits()


def create_app(
    platform: Any,
    *,
    authority: Any = None,
    routers: tuple[str, ...] = (*ROUTERS, *PAGES),
    limits: RateLimits = _LIMITS,
    traces: Traces | None = None,
) -> FastAPI:
    """Return the application over a wired platform; `authority` is asked at decisions (None: none is)."""
    figures = HttpFigures()
    app = FastAPI(
        title="Shiming",
        version=version("shiming"),
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
        },  # ours writes no paths: see telemetry.py
    )
    _prepare(app, platform, limits, figures)
    app.state.authority = authority
    for router in (system_router(), *_features(routers)):
        app.include_router(router)
    require_gates(app)
    add_refusals(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign] # FastAPI's own way to replace it
    app.add_middleware(CsrfField)
    buckets = TokenBuckets(limits.per_address) if limits.per_address else None
    app.add_middleware(RequestEdge, figures=figures, address_buckets=buckets)
    if traces is not None:
        app.add_middleware(traces.around)
    return app


def routes_of(app: FastAPI) -> tuple[RouteContext, ...]:
    """Return the routes that features and pages declare, with their whole paths."""
    contexts = iter_route_contexts(app.routes)
    return tuple(each for each in contexts if isinstance(each.original_route, APIRoute))


def api_routes_of(app: FastAPI) -> tuple[RouteContext, ...]:
    """Return the routes of the API, without pages."""
    shown = (each for each in routes_of(app) if getattr(each.original_route, "include_in_schema", True))
    return tuple(shown)


def require_gates(app: FastAPI) -> None:
    """Refuse to start with a route that neither asks a question nor says why it is open to all."""
    open_routes = [
        f"{sorted(route.methods or ())} {route.path}"
        for route in routes_of(app)
        if not gates_of(route.dependant)
    ]
    if open_routes:
        message = f"routes without asked() or open_to_all(): {open_routes}"
        raise TypeError(message)


def _prepare(app: FastAPI, platform: Any, limits: RateLimits, figures: HttpFigures) -> None:
    """Put down what routes find at `request.app.state`."""
    state = app.state
    state.platform = platform
    state.problem_statuses = STATUSES
    state.problem_page = problem_page
    state.figures = figures
    state.readiness = checks_of(platform)
    rate = limits.per_caller_and_route
    state.caller_buckets = TokenBuckets(rate) if rate else None

    def watch(running: int, waiting: int) -> None:
        figures.recognition_running.set(running)
        figures.recognition_waiting.set(waiting)

    state.heavy_work = HeavyWork(watch=watch)
    if hasattr(
        type(platform), "recognition"
    ):  # asked of the class: the engines are built when they are needed
        state.early_measuring = LiveClips(lambda: platform.recognition, state.heavy_work)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.spool = Spool.open(app.state.platform.data_folder / SPOOL)
    try:
        yield
    finally:
        app.state.spool.close()
        if hasattr(app.state, "early_measuring"):
            app.state.early_measuring.close()


def _features(names: tuple[str, ...]) -> tuple[APIRouter, ...]:
    return tuple(importlib.import_module(name).router for name in names)
