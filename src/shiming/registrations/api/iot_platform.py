"""What the routes about industry cards share."""

from typing import Annotated

from fastapi import Path, Request
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.infrastructure.http.asking import Asking, asked
from shiming.infrastructure.http.etags import etag
from shiming.infrastructure.http.idempotent import idempotency_key
from shiming.registrations.api.line_platform import LinePlatform, rules_of
from shiming.registrations.model.iot import IotContract
from shiming.registrations.model.iot_reports import ResaleCase
from shiming.registrations.permissions.iot import MayDecideResale, MayManageIot, MayReadIot, MayReportIot
from shiming.registrations.use_cases.iot_contracts import contract_unknown, find_contract
from shiming.registrations.use_cases.iot_sale import IotDesk
from shiming.registrations.use_cases.organisations import Desk

IotQuestion = type[MayManageIot | MayReadIot | MayReportIot | MayDecideResale]
ContractId = Annotated[
    str, Path(description="Reference of the contract.", max_length=40, examples=["THG-0082-0C20-A1G7-D"])
]
Managing = Annotated[Asking, asked(MayManageIot)]
Reading = Annotated[Asking, asked(MayReadIot)]
Reporting = Annotated[Asking, asked(MayReportIot)]
Key = Annotated[str | None, idempotency_key()]


def desk_of(platform: LinePlatform) -> Desk:
    """Return what the verbs work with."""
    return Desk(platform.registrations, rules_of(platform), platform.clock.now(), platform.today())


def iot_desk_of(platform: LinePlatform) -> IotDesk:
    """Return what a sale works with."""
    return IotDesk(desk_of(platform), platform.registration_policy)


def iot_platform(request: Request) -> LinePlatform:
    """Return the wired program."""
    platform: LinePlatform = request.app.state.platform
    return platform


def find(request: Request, contract_id: str, asking: Asking, question: IotQuestion) -> IotContract:
    """Return a contract that the caller may know of."""
    with reading(iot_platform(request).engine) as connection:
        return known_contract(connection, contract_id, asking, question)


def known_contract(
    connection: Connection,
    contract_id: str,
    asking: Asking,
    question: IotQuestion,
    *,
    for_update: bool = False,
) -> IotContract:
    """Return a contract in the caller's transaction; another operator's is not found."""
    asking.allow(question(asking.caller.operator or ""))
    found = find_contract(connection, contract_id, for_update=for_update)
    if found is None or not asking.may(question(found.operator)):
        raise contract_unknown()
    return found


def version_of(versioned: IotContract | ResaleCase) -> str:
    """Return the entity tag."""
    return etag(str(versioned.version))
