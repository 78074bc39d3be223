"""What every route shares, over real HTTP."""

import contextlib
import io
import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy.engine import Engine

from shiming.entrypoints.http_api import create_app, require_gates
from shiming.infrastructure.database import open_database
from shiming.infrastructure.http.body_limits import BODY_BYTES_MAX
from shiming.infrastructure.http.rate_limits import Rate, RateLimits
from shiming.infrastructure.idempotency import KEPT_FOR, forget_old_keys
from shiming.infrastructure.logging import configure_logging
from tests.infrastructure.http_peers import OTHER, client, serving
from tests.infrastructure.toy_api import router as toy_router
from tests.infrastructure.toy_platform import ToyPlatform

PROBLEM = "application/problem+json"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(1, 200))
PERSONAL = "11010519491231002X"


@contextlib.contextmanager
def a_served_toy(folder: Path, engine: Engine, **options: Any) -> Iterator[tuple[ToyPlatform, httpx.Client]]:
    platform = ToyPlatform(folder, engine)
    app = create_app(platform, routers=("tests.infrastructure.toy_api",), **options)
    with serving(app) as address, client(address) as http:
        yield platform, http


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with a_served_toy(tmp_path, open_database("sqlite://")) as (_, found):
        yield found


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == PROBLEM, answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:shiming:problem:{body['code']}"
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"]


def test_problems_speak_the_language_asked_for(http: httpx.Client) -> None:
    english = http.get("/nowhere", headers={"accept-language": "fr, en;q=0.5, zh;q=0.1"})
    chinese = http.get("/nowhere", headers={"accept-language": "zh-CN"})
    assert problem_of(english) == problem_of(chinese) == (404, "ROUTE_UNKNOWN")
    assert (english.headers["content-language"], chinese.headers["content-language"]) == ("en", "zh")
    assert chinese.json()["title"] == "没有这个地址。"
    assert "Accept-Language" in english.headers["vary"]


def test_every_answer_has_the_request_id_and_security_headers(http: httpx.Client) -> None:
    given = http.get("/v1/toys/open", headers={"x-request-id": "till-7-0001"})
    assert given.headers["x-request-id"] == "till-7-0001"
    made = http.get("/v1/toys/open", headers={"x-request-id": "not a form we take"})
    assert made.headers["x-request-id"] != "not a form we take"
    for name, value in {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }.items():
        assert made.headers[name] == value
    assert "server" not in made.headers


def test_unknown_methods_and_credentials_are_problems(http: httpx.Client) -> None:
    answer = http.delete("/v1/toys")
    assert problem_of(answer) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} >= {name.strip() for name in answer.headers["allow"].split(",")}
    answer = http.get("/v1/toys", headers={"authorization": ""})
    assert problem_of(answer) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert problem_of(http.get("/v1/toys", headers={"authorization": "Bearer no"})) == (401, "TOKEN_INVALID")
    assert problem_of(http.get("/v1/toys", headers={"authorization": f"Bearer {OTHER}"})) == (
        403,
        "FORBIDDEN",
    )


def test_invalid_input_is_pointed_at_and_never_repeated(http: httpx.Client) -> None:
    answer = http.post("/v1/toys", json={"name": PERSONAL * 2, "wheels": "many", "colour": PERSONAL})
    assert problem_of(answer) == (422, "REQUEST_INVALID")
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/name", "/wheels", "/colour"}
    assert PERSONAL not in answer.text
    answer = http.get("/v1/toys?limit=1000")
    assert answer.json()["errors"][0]["pointer"] == "#query/limit"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"name": "\xff\xfe"}', "application/json", (400, "BODY_UNREADABLE")),
        (b'{"name": ', "application/json", (400, "BODY_UNREADABLE")),
        (b'{"name": "a\\u0000b"}', "application/json", (400, "TEXT_NUL_CHARACTER")),
        (b'{"name": "\\ud800"}', "application/json", (422, "REQUEST_INVALID")),
        (b"name=a", "application/x-www-form-urlencoded", (422, "REQUEST_INVALID")),
        (b'{"name": "' + b"x" * BODY_BYTES_MAX + b'"}', "application/json", (413, "BODY_TOO_LARGE")),
        (b"[" * 20_000, "application/json", (400, "BODY_UNREADABLE")),
    ],
)
def test_bodies_that_cannot_be_used(
    http: httpx.Client, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    answer = http.post("/v1/toys", content=body, headers={"content-type": content_type})
    assert problem_of(answer) == expected


def test_a_body_without_a_length_is_bounded_as_well(http: httpx.Client) -> None:
    pieces = (b"x" * 8192 for _ in range(20))
    answer = http.post("/v1/toys", content=pieces, headers={"content-type": "application/json"})
    assert problem_of(answer) == (413, "BODY_TOO_LARGE")


def test_nul_in_the_address_is_refused(http: httpx.Client) -> None:
    assert problem_of(http.get("/v1/toys/%00")) == (400, "TEXT_NUL_CHARACTER")
    assert problem_of(http.get("/v1/toys?cursor=%00")) == (400, "TEXT_NUL_CHARACTER")


def test_a_route_that_asks_nobody_does_not_answer(http: httpx.Client) -> None:
    assert problem_of(http.get("/v1/toys/broken/unasked")) == (500, "QUESTION_NOT_ASKED")
    assert problem_of(http.get("/v1/toys/broken/undeclared")) == (500, "INTERNAL_FAULT")


def test_an_application_with_an_open_route_does_not_start() -> None:
    app, router = FastAPI(), APIRouter()
    router.get("/v1/open")(lambda: None)
    app.include_router(router)
    with pytest.raises(TypeError, match="/v1/open"):
        require_gates(app)
    gated = FastAPI()
    gated.include_router(toy_router)
    require_gates(gated)


def test_lists_are_walked_by_cursor(http: httpx.Client) -> None:
    seen: list[int] = []
    cursor: dict[str, str] = {}
    for _ in range(5):
        page = http.get("/v1/toys", params={"limit": 10, **cursor}).json()
        seen += [item["number"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == list(range(45))


@pytest.mark.parametrize(
    "cursor", ["x", "WyJsaW5lcyIsMV0", "WyJ0b3lzIl0", "WyJ0b3lzIixudWxsXQ", "张", "===="]
)
def test_cursors_of_other_lists_or_none_are_refused(http: httpx.Client, cursor: str) -> None:
    assert problem_of(http.get("/v1/toys", params={"cursor": cursor})) == (400, "CURSOR_INVALID")


def test_changes_need_the_version_that_was_read(http: httpx.Client) -> None:
    assert problem_of(http.put("/v1/toys/1")) == (428, "IF_MATCH_MISSING")
    assert problem_of(http.put("/v1/toys/1", headers={"if-match": '"2"'})) == (412, "VERSION_CHANGED")
    assert http.put("/v1/toys/1", headers={"if-match": '"2", "3"'}).status_code == 200
    assert http.put("/v1/toys/1", headers={"if-match": "*"}).status_code == 200


def test_duplicates_in_flight_happen_once(tmp_path: Path, database: Engine) -> None:
    with a_served_toy(tmp_path, database) as (platform, http):
        platform.work_s = 0.3
        answers: list[httpx.Response] = []

        def send() -> None:
            answers.append(http.post("/v1/toys", json={"name": "cart"}, headers={"idempotency-key": "k-1"}))

        threads = [Thread(target=send) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert platform.made == ["cart"]
        assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"number":1}')}
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 4
        changed = http.post("/v1/toys", json={"name": "ball"}, headers={"idempotency-key": "k-1"})
        assert problem_of(changed) == (422, "IDEMPOTENCY_KEY_REUSED")
        for expected in ((409, "TOY_REFUSED"), (409, "TOY_REFUSED")):  # nothing is remembered of a refusal
            refused = http.post("/v1/toys", json={"name": "refused"}, headers={"idempotency-key": "k-2"})
            assert problem_of(refused) == expected
        assert (
            http.post("/v1/toys", json={"name": "own"}, headers={"idempotency-key": "k-2"}).status_code == 201
        )
    with database.begin() as connection:
        now = platform.clock.now()
        assert forget_old_keys(connection, now) == 0
        assert forget_old_keys(connection, now + 2 * KEPT_FOR) == 2


def test_each_caller_has_a_bucket_for_each_route(tmp_path: Path) -> None:
    limits = RateLimits(per_address=None, per_caller_and_route=Rate(burst=3, per_second=0.01))
    with a_served_toy(tmp_path, open_database("sqlite://"), limits=limits) as (_, http):
        statuses = [http.get("/v1/toys").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = http.get("/v1/toys")
        assert problem_of(refused) == (429, "RATE_LIMITED")
        assert 1 <= int(refused.headers["retry-after"]) <= 101
        assert http.put("/v1/toys/1", headers={"if-match": "*"}).status_code == 200
        assert http.get("/v1/toys", headers={"authorization": f"Bearer {OTHER}"}).status_code == 403


def test_each_address_has_a_bucket_before_anybody_is_known(tmp_path: Path) -> None:
    limits = RateLimits(per_address=Rate(burst=2, per_second=0.01), per_caller_and_route=None)
    with a_served_toy(tmp_path, open_database("sqlite://"), limits=limits) as (_, http):
        assert [http.get("/v1/toys/open").status_code for _ in range(3)] == [200, 200, 429]


def test_the_log_and_the_figures_know_routes_not_people(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging(level="INFO", stream=stream)
    try:
        with a_served_toy(tmp_path, open_database("sqlite://")) as (_, http):
            http.get(f"/v1/toys/broken/fault?who=王小明&number={PERSONAL}")
            http.get(f"/v1/{PERSONAL}/王小明", headers={"x-request-id": PERSONAL})
            http.post("/v1/toys", json={"name": PERSONAL}, headers={"authorization": f"Bearer {PERSONAL}"})
            figures = http.get("/metrics").text
    finally:
        logging.getLogger("shiming").handlers.clear()
        logging.getLogger("shiming").propagate = True
    logged = stream.getvalue()
    assert PERSONAL not in logged + figures
    assert "王小明" not in logged + figures
    lines = [json.loads(line) for line in logged.splitlines()]
    fault = next(line for line in lines if "fault" in line)
    assert (fault["route"], fault["status"], fault["fault"]["type"]) == (
        "/v1/toys/broken/{how}",
        500,
        "ValueError",
    )
    assert fault["caller"] == "ACC-clerk"
    assert 'route="/v1/toys/broken/{how}",status="500"} 1.0' in figures
    assert 'route="(unmatched)",status="404"} 1.0' in figures


def test_uploads_arrive_whole_and_leave_nothing(tmp_path: Path) -> None:
    with a_served_toy(tmp_path, open_database("sqlite://")) as (_, http):
        files = {"picture": ("张三.jpg", JPEG * 5000, "image/jpeg")}
        answer = http.put("/v1/toys/7/picture", files=files, data={"note": "红色"})
        assert answer.json() == {
            "number": 7,
            "files": {"picture": 5000 * len(JPEG)},
            "texts": {"note": "红色"},
        }
        mine = next((tmp_path / "spool").iterdir())
        until = time.monotonic() + 10  # the answer may reach us before its request is tidied up
        while any(path.name != ".lock" for path in mine.iterdir()) and time.monotonic() < until:
            time.sleep(0.02)
        assert [path.name for path in mine.iterdir()] == [".lock"]
    assert not list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize(
    ("files", "data", "expected"),
    [
        ({"picture": ("a", JPEG, "application/zip")}, {}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ({"picture": ("a", JPEG, "application/octet-stream")}, {}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ({"picture": ("a", b"PK\x03\x04" + JPEG, "image/jpeg")}, {}, (415, "CONTENT_NOT_AS_STATED")),
        ({"picture": ("a", b"", "image/jpeg")}, {}, (415, "CONTENT_NOT_AS_STATED")),
        ({"photo": ("a", JPEG, "image/jpeg")}, {}, (400, "FORM_INVALID")),
        ({"clip": ("a", b"\x00\x00\x00\x18ftypmp42", "video/mp4")}, {}, (400, "FORM_INVALID")),
        ({"picture": ("a", JPEG, "image/jpeg")}, {"note": "x" * 100}, (413, "BODY_TOO_LARGE")),
        ({"picture": ("a", JPEG, "image/jpeg")}, {"note": "x" * 30}, (400, "FORM_INVALID")),
        ({"picture": ("a", JPEG, "image/jpeg")}, {"note": b"\xff\xfe"}, (400, "FORM_INVALID")),
        ({"picture": ("a", JPEG + b"x" * (31 << 20), "image/jpeg")}, {}, (413, "BODY_TOO_LARGE")),
    ],
    ids=["zip", "octets", "magic", "empty", "unknown", "missing", "longer", "long", "utf-8", "large"],
)
def test_uploads_that_are_refused(
    http: httpx.Client, files: Any, data: Any, expected: tuple[int, str]
) -> None:
    assert problem_of(http.put("/v1/toys/7/picture", files=files, data=data)) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{}", "application/json", (415, "CONTENT_TYPE_UNSUPPORTED")),
        (b"--b\r\n", "multipart/form-data", (400, "MULTIPART_BROKEN")),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", (400, "MULTIPART_BROKEN")),
        (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx',
            "multipart/form-data; boundary=b",
            (400, "MULTIPART_BROKEN"),
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n' * 2 + b"--b--\r\n",
            "multipart/form-data; boundary=b",
            (400, "FORM_INVALID"),
        ),
    ],
)
def test_multipart_that_cannot_be_taken_apart(
    http: httpx.Client, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    answer = http.put("/v1/toys/7/picture", content=body, headers={"content-type": content_type})
    assert problem_of(answer) == expected


def test_nothing_is_read_from_somebody_who_is_not_signed_in(http: httpx.Client) -> None:
    address = http.base_url
    with socket.create_connection((address.host, address.port or 80), timeout=10) as raw:
        raw.sendall(
            b"PUT /v1/toys/7/picture HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 401")


def test_a_spool_that_is_gone_is_said_and_the_next_start_sweeps(tmp_path: Path) -> None:
    with a_served_toy(tmp_path, open_database("sqlite://")) as (_, http):
        (folder,) = (tmp_path / "spool").iterdir()
        left = tmp_path / "spool" / "left-by-a-killed-process"
        left.mkdir()
        (left / ".lock").touch()
        (left / "part-0").write_bytes(b"secret")
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        answer = http.put("/v1/toys/7/picture", files={"picture": ("a.jpg", JPEG, "image/jpeg")})
        assert problem_of(answer) == (503, "SPOOL_WRITE")
        assert answer.headers["retry-after"]
    with a_served_toy(tmp_path, open_database("sqlite://")):
        assert not left.exists()


def test_a_database_that_is_down_is_a_problem_and_shows_in_readiness(tmp_path: Path) -> None:
    engine = open_database("postgresql://nobody@127.0.0.1:1/none")
    with a_served_toy(tmp_path, engine) as (_, http):
        answer = http.post("/v1/toys", json={"name": "cart"}, headers={"idempotency-key": "k"})
        assert problem_of(answer) == (503, "DATABASE_UNAVAILABLE")
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["database"]["code"]) == (503, "DATABASE_UNAVAILABLE")
        assert http.get("/healthz").json() == {"status": "ok"}
