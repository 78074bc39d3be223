"""Bad uploads and broken services during a session: a clear problem, and nothing half-written."""

import io
import json
import logging
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Connection, Engine

from shiming.entrypoints.recognition_tools import Recognition
from shiming.infrastructure.database import open_database
from shiming.infrastructure.http.heavy_work import HeavyWork
from shiming.infrastructure.logging import configure_logging
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.tables import schema
from shiming.vocabulary.errors import Text, Unavailable
from tests.databases import a_database
from tests.identity_proofing.proofing_builders import ON
from tests.identity_proofing.proofing_desk import NAME, NUMBER
from tests.identity_proofing.proofing_over_http import (
    BACK,
    CLIP,
    FRONT,
    HttpDesk,
    a_served_desk,
    draw,
    open_session,
)
from tests.log_watch import specimens

SESSIONS = "/v1/proofing-sessions"
Served = tuple[HttpDesk, httpx.Client]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with (
        a_database("sqlite", tmp_path / "database") as url,
        a_served_desk(tmp_path, open_database(url)) as found,
    ):
        yield found


def put(http: httpx.Client, session: str, content: bytes, kind: str = "image/jpeg") -> httpx.Response:
    return http.put(f"{SESSIONS}/{session}/document", files={"front": ("f", content, kind)})


def a_png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and compresses to almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def a_zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(10_000_000))
    return packed.getvalue()


class Seeing(HttpDesk):
    """A desk that really reads what is uploaded; no model is loaded for what cannot be decoded."""

    def proofing_tools(self, authority: Any = None) -> Any:
        seen = Recognition()
        plain = super().proofing_tools(authority)
        return replace(
            plain, read_document=lambda picture: seen.document(picture, today=ON), measure_clip=seen.clip
        )


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"\xff\xd8\xff\xe0" + b"nothing of a picture" * 9, "image/jpeg", (400, "IMAGE_UNREADABLE")),
        (a_png(60_000, 60_000), "image/png", (413, "IMAGE_TOO_LARGE")),
        (a_png(9_000, 9_000), "image/png", (413, "IMAGE_TOO_LARGE")),
        (a_png(8, 8), "image/png", (400, "IMAGE_TOO_SMALL")),
        (a_zip_bomb(), "image/png", (415, "CONTENT_NOT_AS_STATED")),
    ],
    ids=["corrupt", "bomb", "large", "small", "zip"],
)
def test_pictures_that_cannot_be_read(
    served: Served, content: bytes, kind: str, expected: tuple[int, str]
) -> None:
    platform, http = served
    platform.__class__ = Seeing
    session = open_session(http)
    answer = put(http, session, content, kind)
    assert (answer.status_code, answer.json()["code"]) == expected, answer.text
    assert http.get(f"{SESSIONS}/{session}").json()["given"] == []
    assert not list((platform.data_folder / "objects").rglob("HPC*"))


@pytest.mark.models
def test_a_clip_that_is_damaged(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    challenge = draw(platform, http, session)
    assert put(http, session, FRONT).status_code == 200
    platform.__class__ = Seeing
    files = {"clip": ("c.mp4", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 5000, "video/mp4")}
    answer = http.put(f"{SESSIONS}/{session}/clip", files=files, data={"challenge": json.dumps(challenge)})
    assert (answer.status_code, answer.json()["code"][:5]) == (400, "CLIP_"), answer.text
    stands = http.get(f"{SESSIONS}/{session}").json()
    assert (stands["attempts"]["clip"]["given"], stands["challenge"]) == (0, None)  # the challenge is unused


@pytest.mark.parametrize(
    "challenge", ["", "{", "[]", "null", '{"id": 1}', '{"a": "' + "x" * 7000 + '"}', "\ufeff{}"]
)
def test_challenges_that_cannot_be_read(served: Served, challenge: str) -> None:
    _, http = served
    session = open_session(http)
    put(http, session, FRONT)
    files = {"clip": ("c.mp4", CLIP, "video/mp4")}
    answer = http.put(f"{SESSIONS}/{session}/clip", files=files, data={"challenge": challenge})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_object_store_that_is_down_changes_nothing(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    (platform.data_folder / "a-file").write_text("no folder")
    platform.privacy.objects = FolderObjectStore(platform.data_folder / "a-file")
    answer = put(http, session, FRONT)
    assert (answer.status_code, answer.json()["code"]) == (503, "OBJECT_STORE_WRITE")
    assert int(answer.headers["retry-after"]) > 0
    assert http.get(f"{SESSIONS}/{session}").json()["state"] == "created"
    ready = http.get("/readyz")
    assert (ready.status_code, ready.json()["parts"]["object_store"]["code"]) == (503, "OBJECT_STORE_WRITE")
    platform.privacy.objects = FolderObjectStore(platform.data_folder / "objects")
    assert put(http, session, FRONT).json()["state"] == "document"


class FullVault:
    """A vault whose disk is full."""

    def keep(self, connection: Connection, **kept: Any) -> None:
        del connection, kept
        raise Unavailable("OBJECT_STORE_WRITE", Text(zh="材料无法保存。", en="It could not be stored."))

    def release(self, connection: Connection, session_id: str) -> None:
        raise NotImplementedError


def test_a_vault_that_fails_leaves_the_session_undecided(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    challenge = draw(platform, http, session)
    files = {"front": ("a.jpg", FRONT, "image/jpeg"), "back": ("b.jpg", BACK, "image/jpeg")}
    http.put(f"{SESSIONS}/{session}/document", files=files)
    clip = {"clip": ("c.mp4", CLIP, "video/mp4")}
    http.put(f"{SESSIONS}/{session}/clip", files=clip, data={"challenge": json.dumps(challenge)})
    platform.keeper = FullVault()
    answer = http.post(f"{SESSIONS}/{session}/decision")
    assert (answer.status_code, answer.json()["code"]) == (503, "OBJECT_STORE_WRITE")
    assert http.get(f"{SESSIONS}/{session}").json()["decision"] is None
    platform.keeper = None
    assert http.post(f"{SESSIONS}/{session}/decision").json()["outcome"] == "Verified"


def test_recognition_that_is_busy_says_when_to_come_back() -> None:
    told: list[tuple[int, int]] = []
    lane = HeavyWork(running_max=1, waiting_max=1, wait_s_max=0.05, watch=lambda *now: told.append(now))
    with lane.turn():
        with pytest.raises(Unavailable) as busy, lane.turn():
            pass
        assert busy.value.code == "RECOGNITION_BUSY"
    with lane.turn():
        assert told[-1] == (1, 0)
    assert told[-1] == (0, 0)
    none = HeavyWork(running_max=0, waiting_max=0, wait_s_max=60)
    with pytest.raises(Unavailable), none.turn():
        pass


def test_no_person_of_a_session_is_in_the_log(tmp_path: Path, database: Engine) -> None:
    stream = io.StringIO()
    configure_logging(level="DEBUG", stream=stream)
    try:
        with a_served_desk(tmp_path, database) as (platform, http):
            session = open_session(http)
            challenge = draw(platform, http, session)
            files = {"front": (f"{NAME}.jpg", FRONT, "image/jpeg")}
            declared = {"declared_name": NAME, "declared_number": NUMBER}
            http.put(f"{SESSIONS}/{session}/document?who={NUMBER}", files=files, data=declared)
            platform.desk.sees["clip.mp4"] = ValueError(f"{NAME} {NUMBER}")
            clip = {"clip": (NUMBER, CLIP, "video/mp4")}
            answer = http.put(
                f"{SESSIONS}/{session}/clip", files=clip, data={"challenge": json.dumps(challenge)}
            )
            assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_FAULT")
            shown = http.post(f"{SESSIONS}/{session}/decision").text + http.get(f"{SESSIONS}/{session}").text
            http.get(f"{SESSIONS}/{NUMBER}")
            http.get("/v1/nothing", params={"name": NAME})
    finally:
        logging.getLogger("shiming").handlers.clear()
        logging.getLogger("shiming").propagate = True
    assert len(stream.getvalue().splitlines()) >= 8
    assert not specimens().search(stream.getvalue())
    assert not specimens().search(shown)
    with database.connect() as connection:
        stored = str(connection.execute(schema.tables["proofing_sessions"].select()).all())
    assert NAME not in stored
    assert NUMBER not in stored
