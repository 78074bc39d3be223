"""Whole proofing sessions over real HTTP, on both engines."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Engine

from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.use_cases.discarding import discard_held
from shiming.infrastructure.database import open_database
from shiming.infrastructure.tables import schema
from tests.databases import a_database
from tests.identity_proofing.proofing_desk import NAME, NUMBER, AnsweringAuthority
from tests.identity_proofing.proofing_over_http import (
    BACK,
    CLIP,
    FRONT,
    SOUND,
    HttpDesk,
    a_served_desk,
    draw,
    open_session,
)
from tests.infrastructure.http_peers import OTHER, PROGRAM

SESSIONS = "/v1/proofing-sessions"
Served = tuple[HttpDesk, httpx.Client]


@pytest.fixture
def served(tmp_path: Path, database: Engine) -> Iterator[Served]:
    with a_served_desk(tmp_path, database) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Served]:
    """The same over SQLite alone, for what does not depend on the engine."""
    with (
        a_database("sqlite", tmp_path / "database") as url,
        a_served_desk(tmp_path, open_database(url)) as found,
    ):
        yield found


def put_document(
    http: httpx.Client, session: str, front: bytes = FRONT, back: bytes = BACK
) -> httpx.Response:
    files = {"front": ("a.jpg", front, "image/jpeg"), "back": ("b.jpg", back, "image/jpeg")}
    return http.put(f"{SESSIONS}/{session}/document", files=files, data={"declared_name": NAME})


def put_clip(
    http: httpx.Client, session: str, challenge: dict[str, Any], clip: bytes = CLIP, **texts: str
) -> httpx.Response:
    files = {"clip": ("c.mp4", clip, "video/mp4")}
    return http.put(
        f"{SESSIONS}/{session}/clip", files=files, data={"challenge": json.dumps(challenge), **texts}
    )


def put_digits(http: httpx.Client, session: str, challenge: dict[str, Any]) -> httpx.Response:
    files = {"audio": ("d.wav", SOUND, "audio/wav")}
    return http.put(f"{SESSIONS}/{session}/digits", files=files, data={"challenge": json.dumps(challenge)})


def decide(http: httpx.Client, session: str, **headers: str) -> dict[str, Any]:
    answer = http.post(f"{SESSIONS}/{session}/decision", headers=headers)
    assert answer.status_code == 200, answer.text
    decided: dict[str, Any] = answer.json()
    return decided


def codes(decided: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in decided["reasons"]}


def objects(platform: HttpDesk) -> list[Path]:
    return [file for file in (platform.data_folder / "objects").rglob("*") if file.is_file()]


def test_a_genuine_session_is_verified_and_nothing_is_held_afterwards(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    challenge = draw(platform, http, session)
    assert put_document(http, session).json()["state"] == "document"
    given = put_clip(http, session, challenge).json()
    assert given["given"] == ["document", "document_back", "clip", "digits"]
    assert objects(platform)
    assert not any(
        secret in file.read_bytes() for file in objects(platform) for secret in (NUMBER.encode(), b"front")
    )
    decided = decide(http, session)
    assert (decided["outcome"], decided["state"]) == ("Verified", "decided"), decided
    (kept,) = platform.desk.kept
    assert set(kept["files"]) == {"document", "document_back", "clip"}
    assert kept["identity"].number == NUMBER
    assert not objects(platform)
    assert not list((platform.data_folder / "spool").rglob("part-*"))
    receipt = http.get(f"{SESSIONS}/{session}/receipt").json()
    assert receipt["decision"]["outcome"] == "Verified"
    assert http.get(f"{SESSIONS}/{session}").json()["decision"]["receipt_hash"] == decided["receipt_hash"]
    assert platform.desk.recorded[-1][0] == "proofing.decided"


def test_what_is_kept_at_the_decision_is_what_was_uploaded(desk: Served) -> None:
    platform, http = desk
    session = open_session(http)
    challenge = draw(platform, http, session)
    put_document(http, session)
    put_clip(http, session, challenge, digits_in="other")
    put_digits(http, session, challenge)
    assert decide(http, session)["outcome"] == "Verified"
    assert platform.desk.contents == {"document": FRONT, "document_back": BACK, "clip": CLIP, "digits": SOUND}


def test_digits_and_clip_may_come_apart_but_each_only_once(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    challenge = draw(platform, http, session)
    put_document(http, session)
    assert put_digits(http, session, challenge).status_code == 200
    assert put_clip(http, session, challenge, digits_in="other").json()["challenge"]["replayed"] is False
    assert put_clip(http, session, challenge, digits_in="other").json()["challenge"]["replayed"] is False
    other = put_clip(http, session, challenge, CLIP + b"another take", digits_in="other")
    assert other.json()["challenge"]["replayed"] is True
    decided = decide(http, session)
    assert decided["outcome"] == "NotVerified"
    assert "CHALLENGE_REPLAYED" in codes(decided)


def test_a_challenge_of_another_session_or_altered_is_found(desk: Served) -> None:
    platform, http = desk
    first, second = open_session(http), open_session(http)
    challenge = draw(platform, http, first)
    put_document(http, second)
    assert put_clip(http, second, challenge).json()["challenge"]["of_other_session"] is True
    put_document(http, first)
    altered = {**draw(platform, http, first), "digits": "000000"}
    assert put_clip(http, first, altered).json()["challenge"]["altered"] is True


def test_a_stale_challenge_asks_for_another_clip_also_when_the_clock_was_set_back(desk: Served) -> None:
    platform, http = desk
    for seconds in (121.0, -30.0):
        session = open_session(http)
        challenge = draw(platform, http, session)
        put_document(http, session)
        platform.desk.clock.forward(seconds=seconds)
        assert put_clip(http, session, challenge).json()["challenge"]["stale"] is True
        decided = decide(http, session)
        assert (decided["outcome"], decided["what"]) == ("Retry", "clip")
        again = draw(platform, http, session)
        put_clip(http, session, again, CLIP + b"again")
        assert decide(http, session)["outcome"] == "Verified"


def test_an_undrawn_challenge_is_bad_input(desk: Served) -> None:
    _, http = desk
    session = open_session(http)
    put_document(http, session)
    answer = put_clip(http, session, {"steps": ["blink"], "digits": "470913"})
    assert (answer.status_code, answer.json()["code"]) == (400, "CHALLENGE_INVALID")


def test_steps_out_of_order_late_or_too_many_are_conflicts(desk: Served) -> None:
    platform, http = desk
    session = open_session(http)
    challenge = draw(platform, http, session)
    assert put_clip(http, session, challenge).json()["code"] == "STEP_OUT_OF_ORDER"
    assert http.post(f"{SESSIONS}/{session}/decision").json()["code"] == "STEP_OUT_OF_ORDER"
    for number in range(5):
        assert put_document(http, session, FRONT + bytes([number])).status_code == 200
    answer = put_document(http, session, FRONT + b"one too many")
    assert (answer.status_code, answer.json()["code"]) == (409, "ATTEMPTS_USED_UP")
    platform.desk.clock.forward(minutes=31)
    answer = put_document(http, session)
    assert (answer.status_code, answer.json()["code"]) == (409, "SESSION_EXPIRED")


def test_nothing_of_a_failed_measurement_is_kept(desk: Served) -> None:
    platform, http = desk
    session = open_session(http)
    answer = put_document(http, session, FRONT.replace(b"front.jpg", b"noise.jpg"))
    assert (answer.status_code, answer.json()["code"]) == (400, "NOTHING_SEEN")
    assert http.get(f"{SESSIONS}/{session}").json()["state"] == "created"
    assert not objects(platform)


def test_an_authority_that_comes_back_is_asked_again_and_one_that_answered_is_not(desk: Served) -> None:
    platform, http = desk
    authority = AnsweringAuthority(AuthorityAnswer.UNREACHABLE)
    platform.desk.authority = authority
    session = open_session(http)
    challenge = draw(platform, http, session)
    put_document(http, session)
    put_clip(http, session, challenge)
    decided = decide(http, session)
    assert (decided["outcome"], codes(decided)) == ("NeedsReview", {"AUTHORITY_UNREACHABLE"})
    authority.answer = AuthorityAnswer.MATCH
    assert decide(http, session)["outcome"] == "Verified"
    assert len(authority.asked) == 2


def test_two_accounts_of_one_person_are_one_reviewer(desk: Served) -> None:
    platform, http = desk
    session = open_session(http, route="assisted")
    challenge = draw(platform, http, session)
    put_document(http, session)
    put_clip(http, session, challenge)
    seen = {"same_person": True, "document_genuine": True}
    for _ in range(2):
        answer = http.post(f"{SESSIONS}/{session}/reviews", json=seen)
        assert answer.status_code == 201
    program = {"authorization": f"Bearer {PROGRAM}"}
    refused = http.post(f"{SESSIONS}/{session}/reviews", json=seen, headers=program)
    assert (refused.status_code, refused.json()["code"]) == (403, "STAFF_ONLY")
    receipt = (decide(http, session), http.get(f"{SESSIONS}/{session}/receipt").json())[1]
    assert len(receipt["evidence"]["reviews"]) == 1


def test_another_operator_sees_and_does_nothing(desk: Served) -> None:
    _, http = desk
    session = open_session(http)
    other = {"authorization": f"Bearer {OTHER}"}
    for method, path in (
        ("GET", ""),
        ("GET", "/receipt"),
        ("POST", "/decision"),
    ):
        assert http.request(method, f"{SESSIONS}/{session}{path}", headers=other).status_code == 403
    answer = http.post(f"{SESSIONS}/{session}/challenges", json={}, headers=other)
    assert answer.json()["code"] == "FORBIDDEN"
    wanted = {"channel": "shop", "operator": "cn-one"}
    assert http.post(SESSIONS, json=wanted, headers=other).status_code == 403


def test_a_repeated_opening_opens_one_session_and_a_reused_key_is_refused(
    served: Served, database: Engine
) -> None:
    _, http = served
    key = {"idempotency-key": str(uuid.uuid4())}
    first = http.post(SESSIONS, json={"channel": "shop"}, headers=key)
    again = http.post(SESSIONS, json={"channel": "shop"}, headers=key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert again.headers["location"] == first.headers["location"]
    other = http.post(SESSIONS, json={"channel": "online"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    with database.connect() as connection:
        assert len(connection.execute(schema.tables["proofing_sessions"].select()).all()) == 1


def test_a_decision_on_what_was_read_is_refused_when_it_has_changed(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    read = http.get(f"{SESSIONS}/{session}")
    same = http.get(f"{SESSIONS}/{session}", headers={"if-none-match": read.headers["etag"]})
    assert same.status_code == 304
    challenge = draw(platform, http, session)
    put_document(http, session)
    put_clip(http, session, challenge)
    answer = http.post(f"{SESSIONS}/{session}/decision", headers={"if-match": read.headers["etag"]})
    assert (answer.status_code, answer.json()["code"]) == (412, "VERSION_CHANGED")
    current = http.get(f"{SESSIONS}/{session}").headers["etag"]
    assert decide(http, session, **{"if-match": current})["outcome"] == "Verified"


def test_unknown_sessions_are_not_found(desk: Served) -> None:
    _, http = desk
    for name in ("SES-0082-0C20-A1G7-D", "nonsense", "张三"):
        answer = http.get(f"{SESSIONS}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "SESSION_UNKNOWN")


def test_pieces_of_a_session_that_was_left_are_removed_when_its_time_is_over(served: Served) -> None:
    platform, http = served
    session = open_session(http)
    put_document(http, session)
    holding = HoldingTools(platform.privacy.objects, platform.keys, platform.desk.tools.new_reference)
    assert discard_held(holding, platform.begin, platform.clock.now()) == 0
    assert objects(platform)
    platform.desk.clock.forward(minutes=31)
    assert discard_held(holding, platform.begin, platform.clock.now()) == 1
    assert not objects(platform)
    assert discard_held(holding, platform.begin, platform.clock.now()) == 0


def test_nothing_is_read_of_an_upload_that_the_caller_may_not_make(desk: Served) -> None:
    _, http = desk
    session = open_session(http)
    other = {"authorization": f"Bearer {OTHER}", "content-type": "multipart/form-data; boundary=b"}
    answer = http.put(f"{SESSIONS}/{session}/document", content=b"nonsense", headers=other)
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    unknown = http.put(f"{SESSIONS}/SES-0082-0C20-A1G7-D/clip", content=b"", headers={**other})
    assert unknown.status_code == 404


def test_digits_are_recorded_or_tapped_not_both_and_not_neither(desk: Served) -> None:
    platform, http = desk
    session = open_session(http, route="digits_tapped")
    challenge = draw(platform, http, session)
    put_document(http, session)
    asked = (None, json.dumps(challenge))
    both = {"challenge": asked, "audio": ("d.wav", SOUND, "audio/wav"), "tapped": (None, "123456")}
    forms: tuple[dict[str, Any], ...] = (both, {"challenge": asked})
    for form in forms:
        answer = http.put(f"{SESSIONS}/{session}/digits", files=form)
        assert (answer.status_code, answer.json()["code"]) == (400, "DIGITS_FORM"), answer.text
    tapped = {"challenge": asked, "tapped": (None, challenge["digits"])}
    assert http.put(f"{SESSIONS}/{session}/digits", files=tapped).json()["given"][-1] == "digits"
