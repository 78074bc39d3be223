"""Capture devices at the desk: the list, one to enrol (this browser, or a reader by key), one to revoke."""

from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.accounts.account_api import OPERATOR, Reference, actor
from shiming.accounts.asking import platform_of
from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.accounts.permissions import MayManageDevices
from shiming.accounts.use_cases import capture_devices as use_cases
from shiming.entrypoints.pages.desk.desk_page import Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.managed import Managed, SureForm
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.rendering import see_other
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.device_proofs import KEY_CHARACTERS_MAX
from shiming.infrastructure.http.asking import Asking, asked
from shiming.vocabulary.errors import Text

router = page_router()
Administrator = Annotated[Asking, asked(MayManageDevices)]
PATH = "/desk/devices"

KINDS = {
    DeviceKind.READER.value: Text(zh="读卡器", en="card reader"),
    DeviceKind.BROWSER.value: Text(zh="柜台浏览器", en="counter browser"),
}
STATES = {"usable": Text(zh="可用", en="in use"), "revoked": Text(zh="已撤销", en="revoked")}
_TONES = {"usable": "good", "revoked": "bad"}


def _state(device: CaptureDevice) -> str:
    return "revoked" if device.revoked_at else "usable"


TABLE: Table[CaptureDevice] = Table(
    "capture-devices",
    Text(zh="采集设备", en="Capture devices"),
    (
        Column(
            "name",
            Text(zh="名称", en="Name"),
            lambda device: device.name,
            href=lambda device: f"{PATH}/{device.reference}",
        ),
        Column("outlet", Text(zh="网点", en="Outlet"), lambda device: device.outlet),
        Column("kind", Text(zh="种类", en="Kind"), lambda device: KINDS[device.kind.value]),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda device: STATES[_state(device)],
            look="state",
            tone=lambda device: _TONES[_state(device)],
        ),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda device: device.operator),
        Column("used", Text(zh="最近使用", en="Last use"), lambda device: device.last_used_at),
    ),
    filters=(
        Choice("kind", Text(zh="种类", en="Kind"), KINDS, lambda device: device.kind.value),
        Choice("state", Text(zh="状态", en="State"), STATES, _state),
    ),
    empty=Text(zh="还没有登记采集设备。", en="No capture device is enrolled yet."),
    order="name",
)


class DeviceForm(BaseModel):
    """A device to enrol."""

    model_config = ConfigDict(extra="ignore")
    kind: DeviceKind
    name: Annotated[str, Field(max_length=use_cases.NAME_CHARACTERS_MAX)]
    outlet: Annotated[str, Field(max_length=use_cases.NAME_CHARACTERS_MAX)]
    public_key: Annotated[str, Field(max_length=KEY_CHARACTERS_MAX)]
    operator: Annotated[str | None, Field(pattern=OPERATOR)] = None


def _facts(_asking: Asking, device: CaptureDevice) -> dict[str, Any]:
    return {
        "device": device,
        "kind": KINDS[device.kind.value],
        "state": STATES[_state(device)],
        "tone": _TONES[_state(device)],
    }


DEVICES = Managed(
    PATH, "devices/device.html", MayManageDevices, use_cases.get_device, use_cases.list_devices, _facts
)


@router.get(PATH)
def list_devices(request: Request, asking: Administrator) -> Response:
    """List capture devices with their last use."""
    return table_page(request, asking, "devices/devices.html", Shown(TABLE, DEVICES.rows(request, asking)))


@router.get(f"{PATH}/new")
def new_device(request: Request, asking: Administrator) -> Response:
    """Show the form of a device to enrol."""
    asking.allow(MayManageDevices(asking.caller.operator or ""))
    return _form(request, asking, {})


@router.post(f"{PATH}/new")
def enrol_device(
    request: Request, asking: Administrator, wanted: Annotated[Filled[DeviceForm], form(DeviceForm)]
) -> Response:
    """Enrol a device."""
    asking.allow(MayManageDevices(asking.caller.operator or ""))
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _form(request, asking, wanted.again(), status=422)
    operator = chosen.operator or asking.caller.operator
    asking.allow(MayManageDevices(operator or ""))

    def work() -> None:
        new = use_cases.NewDevice(chosen.name, chosen.kind, chosen.outlet, chosen.public_key, operator)
        with unit_of_work(platform.engine) as connection:
            use_cases.enrol_device(platform.accounts, connection, new, by=actor(asking))

    if refused := tried(work):
        return _form(request, asking, {"refused": refused, "entered": wanted.entered}, status=409)
    return see_other(PATH, said="enrolled")


@router.get(f"{PATH}/{{reference}}")
def show_device(request: Request, reference: Reference, asking: Administrator) -> Response:
    """Show a device."""
    return DEVICES.page(request, asking, DEVICES.get(request, asking, reference))


@router.post(f"{PATH}/{{reference}}/revoke")
def revoke(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[SureForm], form(SureForm)],
) -> Response:
    """Let a device sign no more, at once."""
    platform = platform_of(request)

    def work(connection: Connection, device: CaptureDevice) -> None:
        use_cases.revoke_device(platform.accounts, connection, device, by=actor(asking))

    return DEVICES.act(request, asking, reference, wanted, work, then="revoked")


def _form(request: Request, asking: Asking, context: dict[str, Any], *, status: int = 200) -> Response:
    facts = {"kinds": KINDS, "refused": None, "own_operator": asking.caller.operator, **context}
    return desk_page(request, asking, "devices/device_new.html", facts, status=status)
