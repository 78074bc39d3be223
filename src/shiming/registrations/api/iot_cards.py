"""Industry cards over HTTP: stock, sale, return, and what the network sees of them.

POST /v1/iot/stock/{operator}/imports          a CSV or XLSX of cards, with a report of bad rows
POST /v1/iot/contracts/{contract}/cards        sell cards; one outcome for each
POST /v1/iot/contracts/{contract}/cards/table  the same from a CSV or XLSX
POST /v1/iot/card-queries                      where a card is; POST keeps it out of addresses
POST /v1/iot/card-returns
POST /v1/iot/device-changes                    a broken device is replaced
POST /v1/iot/sightings                         another device or place stops the line
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.http.asking import Asking
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotent
from shiming.infrastructure.http.problems import problem_responses
from shiming.infrastructure.http.uploads import Upload
from shiming.registrations.api.iot_platform import (
    ContractId,
    IotQuestion,
    Key,
    Managing,
    Reading,
    Reporting,
    desk_of,
    find,
    iot_desk_of,
    iot_platform,
)
from shiming.registrations.api.iot_schemas import (
    CardNamed,
    CardOutcome,
    CardOutcomes,
    CardReturned,
    CardSeen,
    CardShown,
    CardsWanted,
    DeviceChanged,
    SeenShown,
)
from shiming.registrations.api.line_platform import TABLE_FORM, refused, table_name
from shiming.registrations.api.number_schemas import ImportShown
from shiming.registrations.model.iot import IotCard
from shiming.registrations.permissions.iot import MayManageIot, MayReadIot, MayReportIot
from shiming.registrations.use_cases import iot_cards, iot_devices
from shiming.registrations.use_cases.iot_contracts import IotRefused, find_contract
from shiming.registrations.use_cases.iot_devices import Sighting, see_card
from shiming.registrations.use_cases.iot_sale import CardSold, WantedCard
from shiming.registrations.use_cases.iot_stock import import_stock
from shiming.vocabulary.errors import Text
from shiming.vocabulary.sim_identifiers import Iccid, Imei

router = APIRouter(prefix="/v1/iot", tags=["industry cards"])

Operator = Annotated[str, Path(max_length=32, description="Code of the operator.")]
Table = Annotated[Upload, TABLE_FORM.received()]
_TABLE = TABLE_FORM.openapi_extra()


@router.post("/stock/{operator}/imports", response_model=ImportShown, openapi_extra=_TABLE)
def import_cards(request: Request, operator: Operator, asking: Managing, upload: Table) -> dict[str, Any]:
    """Take in a table: iccid, imsi, number; the same one again changes nothing."""
    asking.allow(MayManageIot(operator))
    platform = iot_platform(request)
    regions = platform.registration_policy.number_regions
    path = upload.file("table")
    with path.open("rb") as stream:
        report = import_stock(
            desk_of(platform),
            platform.engine,
            operator=operator,
            stream=stream,
            name=table_name(path),
            region=regions[0] if len(regions) == 1 else None,
        )
    return report.to_json()


@router.post(
    "/contracts/{contract}/cards", response_model=CardOutcomes, responses=problem_responses(404, 409)
)
def sell(request: Request, contract: ContractId, wanted: CardsWanted, asking: Managing, key: Key) -> Response:
    """Sell cards under a contract; what cannot be sold says why and stops no other card."""
    platform = iot_platform(request)
    found = find(request, contract, asking, MayManageIot)
    iot = iot_desk_of(platform)
    cards = [
        WantedCard(Iccid.parse(each.iccid), Imei.parse(each.imei) if each.imei else None, each.session)
        for each in wanted.cards
    ]

    def work(connection: Connection) -> Answer:
        outcomes = iot_cards.sell_cards(
            iot, connection, found.contract_id, cards, handler_session=wanted.handler_session
        )
        shown = [_outcome(card, each) for card, each in zip(cards, outcomes, strict=True)]
        sold = sum(each.line is not None for each in shown)
        return Answer.of(200, CardOutcomes(sold=sold, refused=len(shown) - sold, cards=shown))

    wanted_hash = hash_of(request, wanted)
    client, now = asking.caller.reference, iot.desk.now
    return iot_cards.once_more(lambda: idempotent(platform.engine, client, key, wanted_hash, work, now=now))


@router.post(
    "/contracts/{contract}/cards/table", response_model=ImportShown, responses=problem_responses(404),
    openapi_extra=_TABLE,
)  # fmt: skip
def sell_table(request: Request, contract: ContractId, asking: Managing, upload: Table) -> dict[str, Any]:
    """Sell the cards of a table: iccid, imei, session; the same one again changes nothing."""
    platform = iot_platform(request)
    found = find(request, contract, asking, MayManageIot)
    path = upload.file("table")
    with path.open("rb") as stream:
        report = iot_cards.sell_table(
            iot_desk_of(platform),
            platform.engine,
            found.contract_id,
            stream=stream,
            name=table_name(path),
        )
    return report.to_json()


@router.post("/card-queries", responses=problem_responses(404))
def show(request: Request, wanted: CardNamed, asking: Reading) -> CardShown:
    """Return where a card is, and how CAMARA binds it; card and device are masked."""
    card = _find(request, Iccid.parse(wanted.iccid), asking, MayReadIot)
    with reading(iot_platform(request).engine) as connection:
        return CardShown.of(card, find_contract(connection, card.contract or ""))


@router.post("/card-returns", responses=problem_responses(404))
def take_back(request: Request, wanted: CardReturned, asking: Managing) -> CardShown:
    """Take a sold card back: its line ends, its device and the place of its user are free."""
    platform = iot_platform(request)
    iccid = Iccid.parse(wanted.iccid)
    _find(request, iccid, asking, MayManageIot)
    iot = iot_desk_of(platform)
    card = transact(
        platform.engine,
        lambda connection: iot_cards.return_card(iot, connection, iccid, why=wanted.why),
    )
    return CardShown.of(card)


@router.post("/device-changes", responses=problem_responses(404, 409))
def change_device(request: Request, wanted: DeviceChanged, asking: Managing) -> CardShown:
    """Bind a sold card to another device; the network gets the new fence."""
    platform = iot_platform(request)
    iccid, imei = Iccid.parse(wanted.iccid), Imei.parse(wanted.imei)
    _find(request, iccid, asking, MayManageIot)
    desk = desk_of(platform)
    card = transact(
        platform.engine, lambda connection: iot_devices.change_device(desk, connection, iccid, imei)
    )
    if isinstance(card, IotRefused):
        text = Text(zh="不能更换绑定设备。", en="The card is not bound to this device.")
        raise refused("IOT_DEVICE_REFUSED", text, card.refusals)
    return CardShown.of(card)


@router.post("/sightings", responses=problem_responses(404))
def see(request: Request, wanted: CardSeen, asking: Reporting) -> SeenShown:
    """Compare what the network saw with what the card is bound to; a broken fence stops the line."""
    platform = iot_platform(request)
    imei = Imei.parse(wanted.imei) if wanted.imei else None
    sighting = Sighting(Iccid.parse(wanted.iccid), imei, wanted.outside_area)
    _find(request, sighting.iccid, asking, MayReportIot)
    desk = desk_of(platform)
    return SeenShown(seen=transact(platform.engine, lambda connection: see_card(desk, connection, sighting)))


def _find(request: Request, iccid: Iccid, asking: Asking, question: IotQuestion) -> IotCard:
    """Return a card that the caller may know of."""
    asking.allow(question(asking.caller.operator or ""))
    with reading(iot_platform(request).engine) as connection:
        found = iot_cards.find_card(connection, iccid)
    if found is None or not asking.may(question(found.operator)):
        raise iot_cards.card_unknown()
    return found


def _outcome(card: WantedCard, outcome: CardSold | IotRefused) -> CardOutcome:
    if isinstance(outcome, CardSold):
        fence = None if outcome.profile is None else _fence(outcome)
        return CardOutcome(
            iccid=card.iccid.masked(), line=outcome.card.line_id, repeated=outcome.repeated, fence=fence
        )
    reasons = [refusal.to_json() for refusal in outcome.refusals]
    return CardOutcome(iccid=card.iccid.masked(), reasons=reasons)


def _fence(sold: CardSold) -> dict[str, Any]:
    """Return the profile without the device: it went to the network, and is not needed here."""
    profile = {} if sold.profile is None else sold.profile.to_json()
    bound = {key: value for key, value in profile.get("binding", {}).items() if key != "imei"}
    return {**profile, "binding": bound}
