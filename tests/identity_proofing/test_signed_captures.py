"""What an enrolled counter browser signs is recorded as its capture; what does not hold is refused."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiming.accounts.model import CaptureDevice, DeviceKind
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device, revoke_device
from shiming.accounts.use_cases.tools import AccountTools
from shiming.identity_proofing.connectors.sdt_reader.office import DeviceKey
from shiming.identity_proofing.model.uploads import CaptureStamp
from shiming.identity_proofing.store import find_evidence
from shiming.infrastructure.database import open_database
from shiming.infrastructure.device_proofs import HEADER, new_key
from tests.accounts.account_builders import BY, a_desk
from tests.databases import a_database
from tests.identity_proofing.proofing_over_http import (
    BACK,
    CLIP,
    FRONT,
    HttpDesk,
    a_served_desk,
    draw,
    open_session,
)

SESSIONS = "/v1/proofing-sessions"
TUS = {"tus-resumable": "1.0.0"}
CHUNK = {**TUS, "content-type": "application/offset+octet-stream"}


@dataclass
class Counter:
    """A served installation whose clerk sits at an enrolled browser."""

    platform: HttpDesk
    http: httpx.Client
    tools: AccountTools
    key: DeviceKey
    device: CaptureDevice
    session: str

    def enrol(self, name: str, operator: str = "cn-one") -> tuple[DeviceKey, CaptureDevice]:
        key = DeviceKey(new_key())
        wanted = NewDevice(name, DeviceKind.BROWSER, "outlet", key.public, operator)
        with self.platform.begin() as connection:
            return key, enrol_device(self.tools, connection, wanted, by=BY)

    def signed(self, method: str, path: str, *, key: DeviceKey | None = None, **sent: Any) -> httpx.Request:
        request = self.http.build_request(method, f"{SESSIONS}/{self.session}/{path}", **sent)
        said = request.headers.get("upload-metadata")
        proof = (key or self.key).proof(method, request.url.path, request.read(), said=said)
        request.headers[HEADER] = proof
        return request

    def document(self, key: DeviceKey | None = None) -> httpx.Request:
        files = {"front": ("f.jpg", FRONT, "image/jpeg"), "back": ("b.jpg", BACK, "image/jpeg")}
        return self.signed("PUT", "document", key=key, files=files)

    def begin_clip(self) -> str:
        said = {"kind": "clip", "filetype": "video/mp4", "device": "till 7"}
        pairs = (f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items())
        headers = {**TUS, "upload-length": str(len(CLIP)), "upload-metadata": ",".join(pairs)}
        made = self.http.send(self.signed("POST", "uploads", headers=headers))
        assert made.status_code == 201, made.text
        return str(made.headers["location"].rpartition("/")[2])

    def captures(self) -> dict[str, CaptureStamp]:
        with self.platform.begin() as connection:
            evidence = find_evidence(connection, self.session)
        return dict(evidence.captures) if evidence else {}

    def revoke(self) -> None:
        with self.platform.begin() as connection:
            revoke_device(self.tools, connection, self.device, by=BY)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with a_database("sqlite", tmp_path / "database") as url:
        engine = open_database(url)
        with a_served_desk(tmp_path, engine) as (platform, http):
            platform.clock.at = datetime.now(UTC).replace(microsecond=0)  # a proof has the machine's time
            tools = replace(a_desk(engine).tools, clock=platform.clock)
            platform.accounts = tools  # type: ignore[attr-defined]
            key = DeviceKey(new_key())
            wanted = NewDevice("counter-3", DeviceKind.BROWSER, "outlet", key.public, "cn-one")
            with platform.begin() as connection:
                device = enrol_device(tools, connection, wanted, by=BY)
            yield Counter(platform, http, tools, key, device, open_session(http))
        engine.dispose()


def test_a_signed_document_is_recorded_as_of_its_device_until_another_is_handed_in(counter: Counter) -> None:
    answer = counter.http.send(counter.document())
    assert answer.status_code == 200, answer.text
    ours = CaptureStamp(counter.device.reference, signed=True)
    assert counter.captures() == {"document": ours, "document_back": ours}
    plain = {"front": ("f.jpg", FRONT + b"another", "image/jpeg")}
    path = f"{SESSIONS}/{counter.session}/document"
    assert counter.http.put(path, files=plain).status_code == 200
    assert "document" not in counter.captures()


def other_body(counter: Counter) -> httpx.Request:
    signed = counter.document()
    content = signed.read().replace(b"front.jpg", b"other.jpg")
    return counter.http.build_request("PUT", signed.url, headers=signed.headers, content=content)


def other_session(counter: Counter) -> httpx.Request:
    signed = counter.document()
    path = f"{SESSIONS}/{open_session(counter.http)}/document"
    return counter.http.build_request("PUT", path, headers=signed.headers, content=signed.read())


def stale(counter: Counter) -> httpx.Request:
    signed = counter.document()
    counter.platform.clock.at += timedelta(seconds=70)
    return signed


def replayed(counter: Counter) -> httpx.Request:
    signed = counter.document()
    # the first one is refused for what it holds, and its nonce is spent all the same
    counter.platform.desk.sees.clear()
    counter.http.send(signed)
    return counter.http.build_request("PUT", signed.url, headers=signed.headers, content=signed.read())


def revoked(counter: Counter) -> httpx.Request:
    counter.revoke()
    return counter.document()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (other_body, 401, "DEVICE_PROOF_OTHER_REQUEST"),
        (other_session, 401, "DEVICE_PROOF_OTHER_REQUEST"),
        (stale, 401, "DEVICE_PROOF_STALE"),
        (replayed, 401, "DEVICE_PROOF_REPLAYED"),
        (revoked, 401, "DEVICE_REVOKED"),
        (lambda counter: counter.document(DeviceKey(new_key())), 401, "DEVICE_NOT_ENROLLED"),
        (lambda counter: counter.document(counter.enrol("x", "cn-two")[0]), 403, "DEVICE_OTHER_OPERATOR"),
    ],
    ids=["body", "session", "stale", "replayed", "revoked", "unknown", "operator"],
)
def test_a_signature_that_does_not_hold_is_refused_by_name(
    counter: Counter, asked: Callable[[Counter], httpx.Request], status: int, code: str
) -> None:
    answer = counter.http.send(asked(counter))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert counter.captures() == {}
    assert counter.http.get(f"{SESSIONS}/{counter.session}").json()["given"] == []


def test_what_a_device_says_of_an_upload_is_signed_with_its_creation(counter: Counter) -> None:
    said = {**TUS, "upload-length": "9", "upload-metadata": "kind Y2xpcA==,filetype dmlkZW8vbXA0"}
    signed = counter.signed("POST", "uploads", headers=said)
    later = base64.b64encode(b"2026-11-22T08:59:00Z").decode()
    changed = {**signed.headers, "upload-metadata": f"{said['upload-metadata']},captured_at {later}"}
    unsigned = counter.key.proof("POST", signed.url.path, b"")
    for headers in (changed, {**signed.headers, HEADER: unsigned}):
        answer = counter.http.post(signed.url, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "DEVICE_PROOF_OTHER_REQUEST")
    assert counter.http.send(signed).status_code == 201


def test_an_upload_that_a_device_began_takes_chunks_of_that_device_alone(counter: Counter) -> None:
    assert counter.http.send(counter.document()).status_code == 200
    challenge = draw(counter.platform, counter.http, counter.session)
    upload = counter.begin_clip()
    headers = {**CHUNK, "upload-offset": "0"}
    plain = counter.http.patch(
        f"{SESSIONS}/{counter.session}/uploads/{upload}", headers=headers, content=CLIP
    )
    assert (plain.status_code, plain.json()["code"]) == (401, "DEVICE_PROOF_MISSING")
    altered = counter.signed("PATCH", f"uploads/{upload}", headers=headers, content=CLIP)
    altered = counter.http.build_request("PATCH", altered.url, headers=altered.headers, content=CLIP[::-1])
    assert counter.http.send(altered).json()["code"] == "DEVICE_PROOF_OTHER_REQUEST"
    other, _ = counter.enrol("counter-4")
    foreign = counter.signed("PATCH", f"uploads/{upload}", key=other, headers=headers, content=CLIP)
    assert counter.http.send(foreign).json()["code"] == "DEVICE_PROOF_OTHER_REQUEST"
    for start in (0, 50):
        more = {**CHUNK, "upload-offset": str(start)}
        end = 50 if start == 0 else len(CLIP)
        chunk = counter.signed("PATCH", f"uploads/{upload}", headers=more, content=CLIP[start:end])
        assert counter.http.send(chunk).status_code == 204
    parts = {"upload": (None, upload), "challenge": (None, json.dumps(challenge))}
    answer = counter.http.send(counter.signed("PUT", "clip", files=parts))
    assert answer.status_code == 200, answer.text
    clip = counter.captures()["clip"]
    assert (clip.device, clip.signed) == (counter.device.reference, True), "and not the till that it named"
