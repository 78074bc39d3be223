"""The first page of the counter: what is opened, for whom, which number and which card.

GET  /counter            what is chosen so far may stand in the query; numbers and cards never do
GET  /counter/numbers    some free numbers, for HTMX
POST /counter            opens the proofing session and the order, and keeps number and card: all or nothing
"""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from shiming.entrypoints.pages.counter import offers
from shiming.entrypoints.pages.counter.opening import NotOpened, OpeningForm, open_journey
from shiming.entrypoints.pages.counter.outcome import refusals_shown
from shiming.entrypoints.pages.counter.preset import Preset, preset_of, remember_preset
from shiming.entrypoints.pages.counter.standing import CounterPlatform, counter_platform, rules_of
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.preferences import preferences_of
from shiming.entrypoints.pages.rendering import fragment, page, see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.identity_proofing.permissions import MayConductSession
from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.idempotent import Answer, idempotent
from shiming.jurisdictions.model import Channel
from shiming.registrations.model.lines import LineKind
from shiming.registrations.permissions.numbers import MayReadNumbers, MayReserveNumber
from shiming.registrations.permissions.orders import MayManageOrders
from shiming.registrations.rules.representation import needs_guardian
from shiming.registrations.use_cases.free_numbers import NumbersWanted, find_free
from shiming.vocabulary.errors import BadInput

router = page_router()

NUMBERS_SHOWN = 6  # what fits on a telephone without scrolling
_NOT_VALID, _CONFLICT = 422, 409
_WORD = Query(max_length=40)
Opening = Annotated[Asking, asked(MayConductSession, MayManageOrders, MayReserveNumber, MayReadNumbers)]


@router.get("/counter")
def start(
    request: Request,
    asking: Opening,
    operator: Annotated[str | None, _WORD] = None,
    channel: Annotated[str | None, _WORD] = None,
    offer: Annotated[str | None, _WORD] = None,
    holder: Annotated[str | None, _WORD] = None,
) -> Response:
    """Ask what is opened; all that can be preset is."""
    asking.allow(MayConductSession(asking.caller.operator or ""))
    chosen = {"operator": operator, "channel": channel, "offer": offer, "holder": holder}
    return _start_page(request, asking, {name: value for name, value in chosen.items() if value})


@router.get("/counter/numbers")
def free_numbers(
    request: Request,
    asking: Annotated[Asking, asked(MayReadNumbers)],
    operator: Annotated[str, Query(max_length=40)] = "",
    kind: Annotated[LineKind, Query()] = LineKind.MOBILE,
    ending: Annotated[str, Query(max_length=20)] = "",
    at: Annotated[str, Query(max_length=60, pattern=r"^/counter[A-Za-z0-9/-]*$")] = "/counter",
) -> Response:
    """Show some free numbers, from a place that chance chooses; without HTMX, the page they belong to."""
    of = asking.caller.operator or operator
    asking.allow(MayReadNumbers(of))
    if request.headers.get("hx-request") != "true":
        return see_other(at if at != "/counter" else f"/counter?{urlencode({'operator': of})}")
    found, mistake = _free(counter_platform(request), of, kind, ending)
    return fragment(request, "counter/numbers.html", {"numbers": found, "chosen": "", "mistake": mistake})


@router.post("/counter")
def open_at_counter(
    request: Request, asking: Opening, filled: Annotated[Filled[OpeningForm], form(OpeningForm)]
) -> Response:
    """Open the journey of one customer; the same form sent twice opens one."""
    wanted = filled.value
    if wanted is None:
        asking.allow(MayConductSession(asking.caller.operator or ""))
        return _start_page(request, asking, filled.entered, status=_NOT_VALID, mistakes=filled.mistakes)
    operator = asking.caller.operator or wanted.operator
    for question in (MayConductSession, MayManageOrders, MayReserveNumber):
        asking.allow(question(operator))
    platform = counter_platform(request)
    content = wanted.model_copy(update={"operator": operator})
    # the key of the form and what stands in it: a form changed after "back" is another one
    key = hashlib.sha256(f"{wanted.key} {content.model_dump_json()}".encode()).hexdigest()[:64]
    try:
        answer = idempotent(
            platform.engine,
            asking.caller.reference,
            key,
            key,
            lambda connection: Answer(
                303, "", {"location": open_journey(request, connection, content, rules_of(platform))}
            ),
            now=platform.clock.now(),
        )
    except (NotOpened, BadInput) as refused:
        return _again(request, asking, filled.entered, refused)
    remember_preset(answer, request, Preset(operator, wanted.channel, wanted.offer))
    return answer


def _again(
    request: Request, asking: Asking, entered: Mapping[str, str], refused: NotOpened | BadInput
) -> Response:
    """Show the form again with every reason; a number that was lost is chosen anew."""
    if isinstance(refused, NotOpened):
        kept = {name: value for name, value in entered.items() if name not in refused.lost}
        shown = refusals_shown(refused.refusals, rules_of(counter_platform(request)))
        return _start_page(request, asking, kept, status=_CONFLICT, refusals=shown)
    return _start_page(request, asking, entered, status=_NOT_VALID, error=refused)


def _start_page(
    request: Request, asking: Asking, entered: Mapping[str, str], *, status: int = 200, **shown: Any
) -> Response:
    platform = counter_platform(request)
    policy, preset, language = rules_of(platform), preset_of(request), preferences_of(request).language
    operator = asking.caller.operator or entered.get("operator") or preset.operator or _only_one(platform)
    channel = _channel(entered.get("channel") or preset.channel)
    offered = offers.offers_of(policy, channel)
    wanted = entered.get("offer") or preset.offer
    offer = next((each for each in offered if each.code == wanted), offered[0])
    holders = offers.holders_of(policy, offer)
    holder = next((each for each in holders if each.code == entered.get("holder")), holders[0])
    found, mistake = (
        _free(platform, operator, offer.kind, "") if offer.has_number and operator else ((), None)
    )
    identifier = entered.get("identifier", "")
    facts = {
        "bound": asking.caller.operator is not None,
        "operator": operator,
        "operators": sorted(platform.settings.operator_names),
        "operator_name": platform.operator_name(operator),
        "channel": channel.value,
        "channel_choices": [(code, words.in_language(language)) for code, words in offers.channel_words()],
        "offer": offer,
        "offer_choices": [(each.code, each.words.in_language(language)) for each in offered],
        "holder": holder,
        "guarded": needs_guardian(holder.category, policy),
        "holder_choices": [(each.code, each.words.in_language(language)) for each in holders],
        "numbers": (identifier, *found[: NUMBERS_SHOWN - 1]) if identifier.startswith("+") else found,
        "chosen": identifier or (found[0] if found else ""),
        "mistake": mistake,
        "key": entered.get("key") or str(uuid.uuid4()),
        "refusals": (),
        "error": None,
        **shown,
        "entered": entered,
    }
    return page(request, "counter/start.html", facts, status=status)


def _free(
    platform: CounterPlatform, operator: str, kind: LineKind, ending: str
) -> tuple[tuple[str, ...], BadInput | None]:
    """Return some free numbers, or what is wrong with what was looked for."""
    try:
        wanted = NumbersWanted.parse(operator, kind, "".join(ending.split()))
    except BadInput as mistake:
        return (), mistake
    with reading(platform.engine) as connection:
        found = find_free(
            platform.registrations, connection, wanted, limit=NUMBERS_SHOWN, now=platform.clock.now()
        )
    return tuple(number.reveal("shown to who chooses") for number in found.numbers), None


def _channel(name: str | None) -> Channel:
    return next((channel for channel in offers.CHANNELS if channel.value == name), offers.CHANNELS[0])


def _only_one(platform: CounterPlatform) -> str:
    """Return the operator of an installation that names one alone."""
    names = list(platform.settings.operator_names)
    return names[0] if len(names) == 1 else ""
