"""Uploads in chunks over HTTP: the contract of tus, and nothing lost by a restart or another process."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app
from shiming.identity_proofing import held_pieces
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.held_tables import upload_chunks, uploads
from shiming.identity_proofing.store import find_evidence
from shiming.identity_proofing.use_cases import discarding, uploading
from shiming.identity_proofing.use_cases.stepwise import Desk
from tests.identity_proofing.proofing_over_http import (
    CLIP,
    FRONT,
    HttpDesk,
    a_served_desk,
    draw,
    open_session,
)
from tests.infrastructure.http_peers import OTHER, client, serving

TUS = {"tus-resumable": "1.0.0"}
CHUNK = {**TUS, "content-type": "application/offset+octet-stream"}


_ANY = re.compile(rb"")


def _desk(platform: HttpDesk) -> Desk:
    tools = platform.proofing_tools()
    holding = HoldingTools(platform.privacy.objects, platform.keys, tools.new_reference)
    return Desk(tools, holding, platform.begin, platform.policy, platform.today())


@pytest.fixture
def served(tmp_path: Path, database: Engine) -> Iterator[tuple[HttpDesk, httpx.Client]]:
    with a_served_desk(tmp_path, database) as found:
        yield found


def metadata(**said: str) -> str:
    return ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in said.items())


def create(http: httpx.Client, session: str, length: int | None = None, **said: str) -> httpx.Response:
    described = {"kind": "clip", "filetype": "video/mp4;codecs=avc1", **said}
    size = {"upload-defer-length": "1"} if length is None else {"upload-length": str(length)}
    headers = {**TUS, **size, "upload-metadata": metadata(**described)}
    return http.post(f"/v1/proofing-sessions/{session}/uploads", headers=headers)


def send(http: httpx.Client, at: str, offset: int, chunk: bytes, **more: str) -> httpx.Response:
    headers = {
        **CHUNK,
        "upload-offset": str(offset),
        **{name.replace("_", "-"): v for name, v in more.items()},
    }
    return http.patch(at, headers=headers, content=chunk)


def sent_in_pieces(http: httpx.Client, session: str, content: bytes, size: int, **said: str) -> str:
    """Send all of it; return the reference of the upload."""
    at = create(http, session, len(content), **said).headers["location"]
    for start in range(0, len(content), size):
        assert send(http, at, start, content[start : start + size]).status_code == 204
    return str(at.rpartition("/")[2])


def hand_in(http: httpx.Client, session: str, upload: str, challenge: dict[str, Any]) -> httpx.Response:
    parts = {"upload": (None, upload), "challenge": (None, json.dumps(challenge))}
    return http.put(f"/v1/proofing-sessions/{session}/clip", files=parts)


def with_document(platform: HttpDesk, http: httpx.Client) -> tuple[str, dict[str, Any]]:
    session = open_session(http)
    files = {"front": ("f.jpg", FRONT, "image/jpeg")}
    assert http.put(f"/v1/proofing-sessions/{session}/document", files=files).status_code == 200
    return session, draw(platform, http, session)


def test_the_server_says_what_it_can_do(served: tuple[HttpDesk, httpx.Client]) -> None:
    answer = served[1].options("/v1/proofing-sessions/SES-x/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-defer-length,expiration,termination"
    assert answer.headers["tus-max-size"] == str(64 << 20)


def test_an_upload_goes_on_where_it_broke_off_and_is_handed_in(
    served: tuple[HttpDesk, httpx.Client],
) -> None:
    platform, http = served
    session, challenge = with_document(platform, http)
    made = create(http, session)
    at = made.headers["location"]
    assert (made.status_code, made.headers["upload-offset"]) == (201, "0")
    assert made.headers["upload-expires"].endswith("GMT")
    assert send(http, at, 0, CLIP[:40]).headers["upload-offset"] == "40"
    lost = send(http, at, 0, CLIP[:40])  # the answer was lost; the same chunk again
    assert (lost.status_code, lost.json()["code"]) == (409, "UPLOAD_OFFSET")
    told = http.head(at, headers=TUS)
    assert (told.headers["upload-offset"], told.headers["upload-defer-length"]) == ("40", "1")
    early = hand_in(http, session, at.rpartition("/")[2], challenge)
    assert (early.status_code, early.json()["code"]) == (409, "UPLOAD_UNFINISHED")
    assert send(http, at, 40, CLIP[40:]).status_code == 204
    assert send(http, at, len(CLIP), b"", upload_length=str(len(CLIP))).status_code == 204
    whole = http.head(at, headers=TUS).headers
    assert (whole["upload-offset"], whole["upload-length"]) == (str(len(CLIP)), str(len(CLIP)))
    upload = at.rpartition("/")[2]
    taken = hand_in(http, session, upload, challenge)
    assert taken.status_code == 200, taken.text
    assert "clip" in taken.json()["given"]
    again = hand_in(http, session, upload, challenge)  # the answer was lost
    assert again.json()["attempts"] == taken.json()["attempts"]


def test_what_was_said_of_an_upload_is_told_again_but_for_a_place_that_nobody_asks_for(
    served: tuple[HttpDesk, httpx.Client],
) -> None:
    platform, http = served
    session, _ = with_document(platform, http)
    said = {"filename": "a name.mp4", "captured_at": "2026-11-22T08:59:00Z"}
    at = create(http, session, None, latitude="39.90872", longitude="116.39748", **said).headers["location"]
    expected = metadata(kind="clip", filetype="video/mp4;codecs=avc1", **said)
    assert http.head(at, headers=TUS).headers["upload-metadata"] == expected
    with platform.begin() as connection:
        kept = repr(connection.exec_driver_sql("SELECT * FROM proofing_uploads").all())
        held_pieces.destroy_key(connection, session)
    assert metadata(filename="a name.mp4").split(" ")[1] not in kept
    after = http.head(at, headers=TUS)
    assert (after.status_code, after.headers.get("upload-metadata")) == (200, None)


def test_a_restarted_server_knows_how_far_an_upload_is(
    tmp_path: Path, served: tuple[HttpDesk, httpx.Client]
) -> None:
    platform, http = served
    session, challenge = with_document(platform, http)
    at = create(http, session, len(CLIP)).headers["location"]
    send(http, at, 0, CLIP[:50])
    app = create_app(platform, routers=("shiming.identity_proofing.api",))
    with serving(app) as address, client(address) as other:
        assert other.head(at, headers=TUS).headers["upload-offset"] == "50"
        assert send(other, at, 50, CLIP[50:]).status_code == 204
        assert hand_in(other, session, at.rpartition("/")[2], challenge).status_code == 200
    assert CLIP[:40] not in b"".join(
        file.read_bytes() for file in (tmp_path / "objects").rglob("*") if file.is_file()
    )


def test_of_two_chunks_for_one_place_one_is_taken(served: tuple[HttpDesk, httpx.Client]) -> None:
    platform, http = served
    session = open_session(http)
    at = create(http, session, len(CLIP)).headers["location"]
    desk = _desk(platform)
    seen = uploading.find_upload(desk, session, at.rpartition("/")[2])  # both have asked where it stands
    assert send(http, at, 0, CLIP[:64]).status_code == 204
    rule = uploading.UploadRule(frozenset({"video/mp4"}), _ANY, 1 << 20)
    with pytest.raises(Exception, match="UPLOAD_OFFSET"):
        uploading.append_chunk(desk, seen, CLIP[:70], None, rule)
    assert http.head(at, headers=TUS).headers["upload-offset"] == "64"
    with platform.engine.begin() as connection:
        pieces = connection.execute(sa.text("SELECT count(*) FROM proofing_held_pieces")).scalar_one()
    assert pieces == 1, "the loser's chunk is not kept"


def test_an_upload_is_known_in_its_own_session_only(served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    one, two = open_session(http), open_session(http)
    upload = create(http, one, len(CLIP)).headers["location"].rpartition("/")[2]
    answer = http.head(f"/v1/proofing-sessions/{two}/uploads/{upload}", headers=TUS)
    assert answer.status_code == 404
    stranger = {"authorization": f"Bearer {OTHER}"}
    answer = http.head(f"/v1/proofing-sessions/{one}/uploads/{upload}", headers={**TUS, **stranger})
    assert answer.status_code == 403


def test_a_repeated_creation_gives_the_same_upload(served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    session = open_session(http)
    headers = {**TUS, "upload-length": "9", "upload-metadata": metadata(kind="clip", filetype="video/mp4")}
    headers["idempotency-key"] = "phone-7-clip-1"
    answers = [http.post(f"/v1/proofing-sessions/{session}/uploads", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].headers["location"] == answers[1].headers["location"]


def test_an_ended_upload_leaves_nothing(tmp_path: Path, served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    session = open_session(http)
    at = create(http, session, len(CLIP)).headers["location"]
    send(http, at, 0, CLIP[:64])
    assert http.delete(at, headers=TUS).status_code == 204
    assert http.head(at, headers=TUS).status_code == 404
    assert [file for file in (tmp_path / "objects").rglob("*") if file.is_file()] == []


def test_the_end_of_a_session_ends_its_uploads(tmp_path: Path, served: tuple[HttpDesk, httpx.Client]) -> None:
    platform, http = served
    session = open_session(http)
    at = create(http, session, len(CLIP)).headers["location"]
    send(http, at, 0, CLIP[:64])
    platform.desk.clock.forward(days=1)
    late = send(http, at, 64, CLIP[64:])
    assert (late.status_code, late.json()["code"]) == (410, "UPLOAD_EXPIRED")
    refused = create(http, session, len(CLIP))
    assert (refused.status_code, refused.json()["code"]) == (409, "SESSION_EXPIRED")
    assert discarding.discard_held(_desk(platform).holding, platform.begin, platform.clock.now()) == 1
    assert http.head(at, headers=TUS).status_code == 404
    assert [file for file in (tmp_path / "objects").rglob("*") if file.is_file()] == []
    with platform.engine.begin() as connection:
        for table in (uploads, upload_chunks):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


WRONG: list[tuple[dict[str, str], int, str]] = [
    ({"tus-resumable": "0.2.2"}, 412, "TUS_VERSION"),
    ({"upload-defer-length": "1"}, 400, "UPLOAD_LENGTH"),  # both
    ({"upload-length": "-1"}, 400, "UPLOAD_LENGTH"),
    ({"upload-length": str((64 << 20) + 1)}, 400, "UPLOAD_LENGTH"),
    ({"upload-metadata": "kind !!!"}, 400, "UPLOAD_METADATA"),
    ({"upload-metadata": metadata(kind="clip", filetype="text/html")}, 400, "UPLOAD_METADATA"),
    ({"upload-metadata": metadata(kind="film", filetype="video/mp4")}, 400, "UPLOAD_METADATA"),
    (
        {"upload-metadata": metadata(kind="clip", filetype="video/mp4", latitude="nan", longitude="1")},
        400,
        "UPLOAD_METADATA",
    ),
]


def test_what_is_wrong_is_said(served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    session = open_session(http)
    plain = {**TUS, "upload-length": "9", "upload-metadata": metadata(kind="clip", filetype="video/mp4")}
    for headers, status, code in WRONG:
        answer = http.post(f"/v1/proofing-sessions/{session}/uploads", headers={**plain, **headers})
        assert (answer.status_code, answer.json()["code"]) == (status, code), headers


def test_a_chunk_is_what_it_is_said_to_be(served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    session = open_session(http)
    at = create(http, session, 200).headers["location"]
    codes = [
        send(http, at, 0, b"MZ" + bytes(100)).json()["code"],
        send(http, at, 0, CLIP + bytes(200)).json()["code"],
        http.patch(at, headers={**TUS, "upload-offset": "0"}, content=CLIP).json()["code"],
        send(http, at, 0, CLIP, upload_length="100").json()["code"],
        send(http, at, 0, CLIP[:64] + bytes(uploading.CHUNK_BYTES_MAX)).json()["code"],
    ]
    assert codes == [
        "CONTENT_NOT_AS_STATED", "UPLOAD_LENGTH", "CONTENT_TYPE_UNSUPPORTED", "UPLOAD_LENGTH",
        "BODY_TOO_LARGE",
    ]  # fmt: skip
    assert http.head(at, headers=TUS).headers["upload-offset"] == "0"


def test_a_session_has_so_many_uploads(served: tuple[HttpDesk, httpx.Client]) -> None:
    _, http = served
    session = open_session(http)
    codes = [create(http, session, 9).status_code for _ in range(uploading.UPLOADS_A_SESSION_MAX + 1)]
    assert codes == [201] * uploading.UPLOADS_A_SESSION_MAX + [409]


def test_a_document_comes_in_chunks_too(served: tuple[HttpDesk, httpx.Client]) -> None:
    platform, http = served
    session = open_session(http)
    upload = sent_in_pieces(http, session, FRONT, 30, kind="document", filetype="image/jpeg")
    parts = {"upload": (None, upload)}
    answer = http.put(f"/v1/proofing-sessions/{session}/document", files=parts)
    assert answer.json()["given"] == ["document"], answer.text
    wrong = hand_in(http, session, upload, draw(platform, http, session))
    assert (wrong.status_code, wrong.json()["code"]) == (409, "UPLOAD_OTHER_KIND")
    neither = http.put(f"/v1/proofing-sessions/{session}/document", files={"declared_name": (None, "x")})
    assert (neither.status_code, neither.json()["code"]) == (400, "FORM_INVALID")


def test_the_device_and_the_time_of_a_capture_are_recorded_and_its_place_only_where_it_is_asked(
    served: tuple[HttpDesk, httpx.Client],
) -> None:
    platform, http = served
    session, challenge = with_document(platform, http)
    said = {
        "device": "till 7", "captured_at": "2026-11-22T08:59:00+08:00",
        "latitude": "39.90872", "longitude": "116.39748", "accuracy_m": "12.5",
    }  # fmt: skip
    upload = sent_in_pieces(http, session, CLIP, 50, **said)
    assert hand_in(http, session, upload, challenge).status_code == 200
    with platform.engine.begin() as connection:
        stored = connection.execute(sa.text("SELECT stamp FROM proofing_uploads")).scalar_one()
        evidence = find_evidence(connection, session)
    assert "39.9" not in stored
    assert evidence is not None
    stamp = evidence.captures["clip"]
    assert (stamp.device, stamp.place) == ("till 7", None)
    assert stamp.captured_at is not None
    assert stamp.captured_at.isoformat() == "2026-11-22T08:59:00+08:00"
