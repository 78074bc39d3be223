"""The fence of one industry card in the words of the network: what a BSS provisions.

The profile is canonical JSON with a version of its own, so that a network knows what it reads. It can be
projected to the bind requests of CAMARA iot-sim-fraud-prevention 0.1.0, which say *that* a card is bound; to
which device or area, the network knows from the profile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shiming.jurisdictions.model import Binding, Citation, ProductClass
from shiming.registrations.model.iot import Area
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal
from shiming.vocabulary.sim_identifiers import Imei

PROFILE_SCHEMA = "shiming.iot-fence/1"
_CAMARA_BINDS: Mapping[Binding, str] = {Binding.IMEI: "IMEIBIND", Binding.AREA: "AREALIMIT"}


@dataclass(frozen=True, slots=True)
class FunctionProfile:
    """What one card may do; everything else is off. Emergency calls are no function: they stay."""

    contract: str
    scene: str
    product: ProductClass
    voice: bool
    sms: bool
    data_mb_per_month: int
    apns: tuple[str, ...]
    targets: tuple[str, ...]  # none: every target behind the access points
    binding: Binding
    imei: Imei | None
    area: Area | None
    valid_from: datetime
    pack_hash: str
    citations: Mapping[str, Citation]

    def to_json(self) -> dict[str, Any]:
        """Return the profile for the network; it names a device, and no person."""
        bound_to: dict[str, Any] = {"type": self.binding.value}
        if self.imei is not None:
            bound_to["imei"] = self.imei.reveal("the network binds the card to it")
        if self.area is not None:
            bound_to["area"] = self.area.to_json()
        return {
            "schema": PROFILE_SCHEMA,
            "contract": self.contract,
            "scene": self.scene,
            "product": self.product.value,
            "voice": self.voice,
            "sms": self.sms,
            "data_mb_per_month": self.data_mb_per_month,
            "apns": list(self.apns),
            "targets": list(self.targets),
            "binding": bound_to,
            "valid_from": self.valid_from.isoformat(),
            "pack_hash": self.pack_hash,
            "citations": dict(self.citations),
        }


@dataclass(frozen=True, slots=True)
class FenceCompiled:
    """The scene and the contract make a fence."""

    profile: FunctionProfile


@dataclass(frozen=True, slots=True)
class FenceRefused:
    """The contract asks for more than the scene allows."""

    refusals: tuple[Refusal, ...]


def camara_bind_requests(binding: Binding, number: Msisdn) -> tuple[dict[str, Any], ...]:
    """Return the bodies of CAMARA `POST .../bind` for a card; none when it is not bound."""
    if binding not in _CAMARA_BINDS:
        return ()
    device = {"phoneNumber": number.reveal("the network binds the card of this number")}
    return ({"device": device, "bindType": _CAMARA_BINDS[binding]},)
