"""Industry cards: who buys them, for which scene, and where each card stands."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shiming.jurisdictions.model import Binding, Channel, ProductClass
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid, Imei, Imsi

APN_CHARACTERS_MAX = 100  # 3GPP TS 23.003 §9.1: the network identifier of an access point
HOST_CHARACTERS_MAX = 253  # RFC 1035
WHITELIST_MAX = 100  # a scene talks to few targets; more is no whitelist
CARDS_OF_CONTRACT_MAX = 1_000_000  # as many as one file of cards may have
DATA_MB_MAX = 10_000_000
RADIUS_M_MAX = 200_000  # CAMARA iot-sim-fraud-prevention 0.1.0, schema Circle
PORT_MAX = 65_535
LATITUDE_MAX, LONGITUDE_MAX = 90.0, 180.0
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOTTED = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class TrafficClass(StrEnum):
    """How much a card may send: little to named targets, or more."""

    SMALL = "small"
    GENERAL = "general"

    @property
    def product(self) -> ProductClass:
        """The product that the rules know it by."""
        return ProductClass.IOT_SMALL if self is TrafficClass.SMALL else ProductClass.IOT_GENERAL


class AssessmentResult(StrEnum):
    """How the security assessment of a buying company ended."""

    PASSED = "passed"
    FAILED = "failed"


class ContractStatus(StrEnum):
    """Whether cards may be sold under a contract."""

    ACTIVE = "active"
    SUSPENDED = "suspended"  # a resale is being looked into, or was found
    ENDED = "ended"


class CardState(StrEnum):
    """Where an industry card is."""

    STOCK = "stock"
    SOLD = "sold"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The security assessment of a company, made before the contract; the paper is in the vault."""

    assessment_id: str
    operator: str
    organisation: str
    result: AssessmentResult
    assessor: str
    evidence: str
    assessed_at: datetime


@dataclass(frozen=True, slots=True)
class Area:
    """A circle that cards may not leave (CAMARA `Circle`): degrees, and metres."""

    latitude: float
    longitude: float
    radius_m: int

    @classmethod
    def parse(cls, latitude: float, longitude: float, radius_m: int) -> "Area":
        """Return the circle; raise BadInput for what is no place on earth."""
        on_earth = abs(latitude) <= LATITUDE_MAX and abs(longitude) <= LONGITUDE_MAX
        if not on_earth or not 1 <= radius_m <= RADIUS_M_MAX:
            raise _unusable("AREA_INVALID", "区域无效。", "This is no area.")
        return cls(latitude, longitude, radius_m)

    def to_json(self) -> dict[str, object]:
        """Return the circle as CAMARA writes it."""
        centre = {"latitude": self.latitude, "longitude": self.longitude}
        return {"areaType": "CIRCLE", "center": centre, "radius": self.radius_m}


@dataclass(frozen=True, slots=True)
class FenceTerms:
    """What a contract asks for its cards; `data_mb_per_month` None: all that the scene allows."""

    voice: bool = False
    sms: bool = False
    data_mb_per_month: int | None = None
    apns: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # hosts or addresses, with or without a port
    binding: Binding = Binding.NONE
    area: Area | None = None

    @classmethod
    def parse(
        cls,
        *,
        voice: bool = False,
        sms: bool = False,
        data_mb_per_month: int | None = None,
        apns: tuple[str, ...] = (),
        targets: tuple[str, ...] = (),
        binding: Binding = Binding.NONE,
        area: Area | None = None,
    ) -> "FenceTerms":
        """Read terms as they were typed; names are lower-cased, sorted and single."""
        if data_mb_per_month is not None and not 1 <= data_mb_per_month <= DATA_MB_MAX:
            raise _unusable("DATA_CAP_INVALID", "流量上限无效。", "This is no data cap.")
        if max(len(apns), len(targets)) > WHITELIST_MAX:
            raise _unusable(
                "WHITELIST_TOO_LONG", f"最多{WHITELIST_MAX}项。", f"At most {WHITELIST_MAX} entries."
            )
        return cls(
            voice=voice,
            sms=sms,
            data_mb_per_month=data_mb_per_month,
            apns=tuple(sorted({read_apn(each) for each in apns})),
            targets=tuple(sorted({read_target(each) for each in targets})),
            binding=binding,
            area=area,
        )


@dataclass(frozen=True, slots=True)
class IotContract:
    """What a company signed: which cards, for which scene, inside which fence."""

    contract_id: str
    operator: str
    organisation: str
    scene: str
    traffic: TrafficClass
    cards_max: int
    terms: FenceTerms
    channel: Channel
    resale_clause: bool  # "cards are neither resold nor passed on" stands in it
    sells_devices: bool  # a maker whose customers are the end users
    handler_session: str
    assessment: str | None
    status: ContractStatus
    signed_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class IotCard:
    """A card of the operator's stock, and what became of it."""

    iccid: Iccid
    imsi: Imsi
    number: Msisdn
    operator: str
    state: CardState = CardState.STOCK
    contract: str | None = None
    imei: Imei | None = None
    line_id: str | None = None
    actual_user: str | None = None  # pseudonym


def read_apn(text: str) -> str:
    """Return the name of an access point; raise BadInput.

    >>> read_apn(" Meter.Grid ")
    'meter.grid'
    """
    name = text.strip().lower()
    if len(name) > APN_CHARACTERS_MAX or not _DOTTED.fullmatch(name):
        raise _unusable("APN_INVALID", "APN格式不正确。", "This is no access point name.")
    return name


def read_target(text: str) -> str:
    """Return a host or an address with or without a port; raise BadInput.

    >>> read_target("Head-End.example.com:8883"), read_target("2001:DB8::1"), read_target("[2001:db8::1]:443")
    ('head-end.example.com:8883', '2001:db8::1', '[2001:db8::1]:443')
    """
    target = text.strip().lower()
    host, port = _host_and_port(target)
    if len(host) > HOST_CHARACTERS_MAX or not (_is_address(host) or _DOTTED.fullmatch(host)):
        raise _target_refused()
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port) <= PORT_MAX):
        raise _target_refused()
    return target


def _host_and_port(target: str) -> tuple[str, str | None]:
    if target.startswith("["):
        host, closing, rest = target[1:].partition("]")
        return (host if closing else target), rest.removeprefix(":") if rest else None
    if target.count(":") == 1:
        host, _, port = target.partition(":")
        return host, port
    return target, None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _target_refused() -> BadInput:
    return _unusable("TARGET_INVALID", "访问目标格式不正确。", "This is no host or address.")


def _unusable(code: str, zh: str, en: str) -> BadInput:
    advice = Text(zh="请核对后重新输入。", en="Compare it with the contract and enter it again.")
    return BadInput(code, Text(zh=zh, en=en), advice)
