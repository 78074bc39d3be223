"""Capture devices: enrolled, recognised by what they sign, revoked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from sqlalchemy.engine import Engine

from shiming.accounts.model import CaptureDevice, DeviceKind, Requested
from shiming.accounts.use_cases.capture_devices import (
    DeviceRefused,
    NewDevice,
    enrol_device,
    get_device,
    revoke_device,
    vouch,
)
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.device_proofs import (
    DeviceProof,
    body_hash,
    claimed_key,
    new_key,
    public_half,
    public_key,
    read_proof,
    sign_proof,
    thumbprint,
)
from shiming.infrastructure.outbox import outbox
from shiming.vocabulary.errors import BadInput
from tests.accounts.account_builders import BY, Desk, a_desk
from tests.accounts.accounts_over_http import AccountsHttp, accounts_served, code_of

PATH, BODY = "/v1/proofing-sessions/SES-1/card-reading", b'{"x":1}'
BROWSER_KEY: dict[str, Any] = dict(ECKey.generate_key("P-256", private=True).as_dict(private=True))


@pytest.fixture
def desk(database: Engine) -> Desk:
    return a_desk(database)


@pytest.fixture
def served(sqlite_engine: Engine, tmp_path: Path) -> Iterator[AccountsHttp]:
    with accounts_served(sqlite_engine, tmp_path / "data") as http:
        yield http


def enrolled(desk: Desk, key: dict[str, Any]) -> CaptureDevice:
    wanted = NewDevice("counter-3", DeviceKind.READER, "People's Square", public_half(key), "cn-mobile")
    with unit_of_work(desk.engine) as connection:
        return enrol_device(desk.tools, connection, wanted, by=BY)


def signed(desk: Desk, device: CaptureDevice, key: dict[str, Any], **changes: Any) -> str:
    now = int(desk.clock.now().timestamp())
    says = {
        "method": "POST", "path": PATH, "body_hash": body_hash(BODY), "issued_at": now, "nonce": "n" * 22,
    }  # fmt: skip
    return sign_proof(key, DeviceProof(**{"key_id": thumbprint(device.public_key), **says, **changes}))


def vouched(desk: Desk, proof: str, body: bytes = BODY) -> CaptureDevice | DeviceRefused:
    return vouch(desk.tools, desk.engine, proof, Requested("POST", PATH, body_hash(body)))


@pytest.mark.parametrize("key", [new_key(), BROWSER_KEY], ids=["program", "browser"])
def test_a_device_is_known_by_what_it_signs_once_and_until_it_is_revoked(
    desk: Desk, key: dict[str, Any]
) -> None:
    device = enrolled(desk, key)
    proof = signed(desk, device, key)
    found = vouched(desk, proof)
    assert isinstance(found, CaptureDevice)
    assert found.reference == device.reference
    with unit_of_work(desk.engine) as connection:
        assert get_device(connection, device.reference).last_used_at == desk.clock.now()
    assert vouched(desk, proof) == DeviceRefused("DEVICE_PROOF_REPLAYED")
    with unit_of_work(desk.engine) as connection:
        assert revoke_device(desk.tools, connection, device, by=BY).revoked_at
        revoke_device(desk.tools, connection, device, by=BY)
    assert vouched(desk, signed(desk, device, key, nonce="m" * 22)) == DeviceRefused("DEVICE_REVOKED")
    with unit_of_work(desk.engine) as connection:
        told = connection.execute(sa.select(outbox.c.type).order_by(outbox.c.type)).scalars().all()
    assert told == ["device.enrolled", "device.revoked"]


def test_what_is_signed_is_this_request_now(desk: Desk) -> None:
    key = new_key()
    device = enrolled(desk, key)
    now = int(desk.clock.now().timestamp())
    for code, proof in {
        "DEVICE_PROOF_OTHER_REQUEST": signed(
            desk, device, key, path="/v1/proofing-sessions/SES-2/card-reading"
        ),
        "DEVICE_PROOF_STALE": signed(desk, device, key, issued_at=now - 61),
        "DEVICE_PROOF_INVALID": signed(desk, device, new_key()),
        "DEVICE_NOT_ENROLLED": sign_proof(key, DeviceProof("DEV-NONE", "POST", PATH, "", now, "n" * 22)),
    }.items():
        assert vouched(desk, proof) == DeviceRefused(code)
    assert vouched(desk, signed(desk, device, key), b"{}") == DeviceRefused("DEVICE_PROOF_OTHER_REQUEST")
    ahead = signed(desk, device, key, issued_at=now + 61)
    assert vouched(desk, ahead) == DeviceRefused("DEVICE_PROOF_STALE")
    assert vouched(desk, signed(desk, device, key, nonce="short")) == DeviceRefused("DEVICE_PROOF_INVALID")
    assert vouched(desk, "") == DeviceRefused("DEVICE_NOT_ENROLLED")


def test_a_body_that_took_long_to_arrive_is_as_fresh_as_its_beginning_and_counts_once(desk: Desk) -> None:
    key = new_key()
    device = enrolled(desk, key)
    requested = Requested("POST", PATH, body_hash(BODY))
    slow = signed(desk, device, key, issued_at=int(desk.clock.now().timestamp()) - 200)
    assert vouch(desk.tools, desk.engine, slow, requested) == DeviceRefused("DEVICE_PROOF_STALE")
    assert isinstance(vouch(desk.tools, desk.engine, slow, requested, arrived_in_s=190), CaptureDevice)
    repeat = vouch(desk.tools, desk.engine, slow, requested, arrived_in_s=190)
    assert repeat == DeviceRefused("DEVICE_PROOF_REPLAYED")


def test_a_key_is_enrolled_once_and_is_a_public_one(desk: Desk) -> None:
    key = new_key()
    enrolled(desk, key)
    with pytest.raises(BadInput, match="DEVICE_KEY_TAKEN"):
        enrolled(desk, key)
    for wrong in (json.dumps(key), "{}", "[]", '{"kty":"RSA","n":"AQAB","e":"AQAB"}', "x" * 500):
        assert public_key(wrong) is None
    nameless = NewDevice(" ", DeviceKind.BROWSER, "x", public_half(new_key()))
    with unit_of_work(desk.engine) as connection, pytest.raises(BadInput, match="DEVICE_NAME_FORMAT"):
        enrol_device(desk.tools, connection, nameless, by=BY)


@given(st.text(max_size=300))
def test_no_text_is_a_proof(text: str) -> None:
    assert read_proof(text, public_half(BROWSER_KEY)) is None
    claimed_key(text)  # raises nothing


def test_administrators_manage_devices_of_their_own_operator(served: AccountsHttp) -> None:
    wanted = {"name": "n", "kind": "browser", "outlet": "o", "public_key": public_half(new_key())}
    with served.signed_in(served.administrator("wu.hua", "cn-mobile")) as browser:
        device = served.done(browser.post("/v1/capture-devices", json=wanted), 201)
        assert device["operator"] == "cn-mobile"
        other = {**wanted, "operator": "cn-unicom", "public_key": public_half(new_key())}
        assert code_of(browser.post("/v1/capture-devices", json=other), 403) == "FORBIDDEN"
        listed = served.done(browser.get("/v1/capture-devices"))["items"]
        assert [each["reference"] for each in listed] == [device["reference"]]
        revoked = served.done(browser.post(f"/v1/capture-devices/{device['reference']}/revoke"))
        assert revoked["revoked_at"]
        assert served.done(browser.get(f"/v1/capture-devices/{device['reference']}")) == revoked
    with served.signed_in(served.administrator("sun.li", "cn-unicom")) as browser:
        answer = browser.get(f"/v1/capture-devices/{device['reference']}")
        assert code_of(answer, 403) == "FORBIDDEN"
    with served.signed_in(served.desk.account()) as browser:
        assert code_of(browser.get("/v1/capture-devices"), 403) == "FORBIDDEN"
