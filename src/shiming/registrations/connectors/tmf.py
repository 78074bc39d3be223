"""The JSON of TMF641 v4 (ServiceOrder) and TMF638 v4 (Service): written and read here, nowhere else."""

import json
import re
from collections.abc import Mapping
from typing import Any

from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.provisioning import OrderAction
from shiming.registrations.ports.bss import (
    InventoryPage,
    NetworkService,
    OrderTaken,
    OrderWanted,
)
from shiming.registrations.rules.service_orders import REPORTED
from shiming.vocabulary.errors import Text, Unavailable

ORDERS = "/serviceOrdering/v4/serviceOrder"
SERVICES = "/serviceInventory/v4/service"
STATUS, EMERGENCY = "status", "emergency_calls"
ID_CHARACTERS_MAX = 120
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,59}|\d{1,5}")  # free text could name somebody
#: OrderItemActionType and ServiceStateType of version 4.
_ACTIONS = {
    OrderAction.ADD: "add",
    OrderAction.MODIFY: "modify",
    OrderAction.SUSPEND: "modify",
    OrderAction.RESUME: "modify",
    OrderAction.DELETE: "delete",
}
_STATES = {
    LineStatus.ACTIVE: "active",
    LineStatus.ONE_WAY_STOPPED: "active",  # everything still comes in
    LineStatus.TWO_WAY_STOPPED: "inactive",
    LineStatus.TERMINATED: "terminated",
}
_IN_SERVICE = {"active": LineStatus.ACTIVE, "inactive": LineStatus.TWO_WAY_STOPPED}
_REFERRED = {"ICCID": "PhysicalResource"}


def service_order_json(wanted: OrderWanted) -> dict[str, Any]:
    """Return the body of POST /serviceOrder."""
    content = {STATUS: wanted.status, EMERGENCY: True, **wanted.profile}
    service = {
        "@type": "Service",
        "id": wanted.service_id,
        "serviceType": wanted.service_type,
        "state": _STATES[LineStatus(wanted.status)],
        "serviceCharacteristic": [
            {"name": name, "valueType": _type_of(value), "value": value} for name, value in content.items()
        ],
        "supportingResource": [
            {
                "id": each.value,
                "name": each.kind,
                "@referredType": _REFERRED.get(each.kind, "LogicalResource"),
            }
            for each in wanted.resources
        ],
    }
    order: dict[str, Any] = {
        "@type": "ServiceOrder",
        "externalId": wanted.external_id,
        "category": "real-name registration",
        "serviceOrderItem": [
            {"@type": "ServiceOrderItem", "id": "1", "action": _ACTIONS[wanted.action], "service": service}
        ],
    }
    if wanted.holder is not None:
        order["relatedParty"] = [{"id": wanted.holder, "role": "holder", "@referredType": "PartyRole"}]
    return order


def read_order(content: Any) -> OrderTaken:
    """Read a ServiceOrder; raise Unavailable for what is none."""
    match content:
        case {"id": str(bss_order), "state": str(state)} if state in REPORTED and _is_id(bss_order):
            external_id = content.get("externalId")
            return OrderTaken(
                bss_order,
                REPORTED[state],
                external_id if isinstance(external_id, str) else None,
                _first_error(content) or (state.upper() if state in {"rejected", "cancelled"} else None),
            )
    raise _not_understood()


def read_refusal(status: int, content: bytes) -> str:
    """Return the code of a TMF630 Error as far as it is one, else the status; never its free text."""
    try:
        decoded = json.loads(content)
    except ValueError:
        return f"STATUS_{status}"
    code = decoded.get("code") if isinstance(decoded, dict) else None
    return str(code) if isinstance(code, str | int) and _CODE.fullmatch(str(code)) else f"STATUS_{status}"


def read_services(content: Any, total: str | None) -> InventoryPage:
    """Read a list of services; entries that name no service are counted."""
    if not isinstance(content, list):
        raise _not_understood()
    found = [read_service(each) for each in content]
    services = tuple(each for each in found if each is not None)
    counted = int(total) if total is not None and total.isascii() and total.isdigit() else None
    return InventoryPage(services, counted, len(found) - len(services), len(found))


def read_service(content: Any) -> NetworkService | None:
    """Read one Service; None for what has no id or state."""
    match content:
        case {"id": str(service_id), "state": str(state)} if _is_id(service_id):
            pass
        case _:
            return None
    characteristics = _by_name(content.get("serviceCharacteristic"), "value")
    told = characteristics.pop(STATUS, None)
    characteristics.pop(EMERGENCY, None)
    resources = _by_name(content.get("supportingResource"), "id")
    return NetworkService(
        service_id,
        _status(state, told),
        characteristics,
        frozenset((name, str(value)) for name, value in resources.items()),
    )


def _status(state: str, told: Any) -> str:
    """Return the status of a line: theirs says whether it is in service, ours how far it is stopped."""
    if state not in _IN_SERVICE:
        return LineStatus.TERMINATED.value if state == "terminated" else f"tmf:{state[:40]}"
    known = {status.value for status, theirs in _STATES.items() if theirs == state}
    return str(told) if told in known else _IN_SERVICE[state].value


def _by_name(listed: Any, key: str) -> dict[str, Any]:
    if not isinstance(listed, list):
        return {}
    return {each["name"]: each.get(key) for each in listed if isinstance(each, dict) and "name" in each}


def _first_error(content: Mapping[str, Any]) -> str | None:
    listed = content.get("errorMessage")
    code = listed[0].get("code") if isinstance(listed, list) and listed and isinstance(listed[0], dict) else 0
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _type_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", str: "string", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "object")


def _is_id(text: str) -> bool:
    return 0 < len(text) <= ID_CHARACTERS_MAX and text.isprintable()


def _not_understood() -> Unavailable:
    return Unavailable(
        "BSS_UNAVAILABLE",
        Text(
            zh="运营企业的 BSS 应答不符合 TMF 规范。", en="The BSS's answer is not TMF641/TMF638 version 4."
        ),
        Text(zh="请联系该企业的技术人员。", en="Tell the operator's engineers."),
        {"reason": "ANSWER_NOT_UNDERSTOOD"},
    )
