"""Evidence, disclosures, who looked and the ledger over real HTTP, on both engines."""

import base64
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from shiming.infrastructure.database import reading
from shiming.infrastructure.signed_notes import NoteSigner, parse_note
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.model import EvidenceKind, EvidenceRef
from shiming.privacy.rules.proofs import read_proof
from shiming.privacy.store.access_log import access_log
from tests.databases import a_database
from tests.privacy.disclosure_builders import NOW
from tests.privacy.disclosure_desk import IDENTITY, OPERATOR, OPERATOR_NAME
from tests.privacy.privacy_over_http import PrivacyHttpPlatform, privacy_served

WHY = {"purpose": "dispute", "case": "DSP-2026-0001"}
RECIPIENT = "北京市公安局朝阳分局"


@pytest.fixture
def platform(tmp_path: Path, database_url: str) -> Iterator[PrivacyHttpPlatform]:
    with privacy_served(tmp_path, database_url) as found:
        yield found


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[PrivacyHttpPlatform]:
    """For what HTTP alone decides: on SQLite only."""
    with a_database("sqlite", tmp_path / "database") as url, privacy_served(tmp_path, url) as found:
        yield found


def ask(
    platform: PrivacyHttpPlatform,
    *refs: EvidenceRef,
    token: str = "asker",  # noqa: S107 - who asks
    **changes: Any,
) -> httpx.Response:
    wanted = {
        "subject": platform.desk.vault.subject(),
        "evidence": [ref.evidence_id for ref in refs],
        "purpose": "lawful_request",
        "recipient": RECIPIENT,
        "legal_basis": "反电信网络诈骗法第二十六条",
        "case": "LAW-2026-0001",
    } | changes
    with platform.client(token) as http:
        return http.post("/v1/disclosures", json=wanted)


def step(
    platform: PrivacyHttpPlatform, token: str, disclosure: str, what: str, **options: Any
) -> httpx.Response:
    """Take a step on the disclosure as it is now."""
    with platform.client("asker") as http:
        seen = http.get(f"/v1/disclosures/{disclosure}").headers["etag"]
    with platform.client(token) as http:
        headers = {"if-match": seen} | options.pop("headers", {})
        return http.post(f"/v1/disclosures/{disclosure}/{what}", headers=headers, **options)


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    return answer.status_code, str(answer.json()["code"])


def test_a_picture_is_read_as_a_marked_copy_and_the_person_sees_it(platform: PrivacyHttpPlatform) -> None:
    ref = platform.desk.put()
    with platform.client("asker") as http:
        answer = http.post(f"/v1/evidence/{ref.evidence_id}/reads", json=WHY)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["x-shiming-marked"] == "true"
        assert answer.headers["cache-control"] == "no-store"
        assert Image.open(io.BytesIO(answer.content)).size[1] > 200
        seen = http.get(f"/v1/subjects/{platform.desk.vault.subject()}/accesses").json()["items"]
    assert [(look["actor"], look["purpose"], look["case"], look["what"]) for look in seen] == [
        ("ACC-asker", "dispute", "DSP-2026-0001", "read")
    ]


def test_an_identity_needs_its_own_permission(edge: PrivacyHttpPlatform) -> None:
    ref = edge.desk.put_identity()
    place = f"/v1/evidence/{ref.evidence_id}/reads"
    with edge.client("asker") as http:
        assert http.post(place, json=WHY).json()["name"] == IDENTITY.name
    with edge.client("images-only") as http:
        assert code(http.post(place, json=WHY)) == (403, "FORBIDDEN")
        picture = edge.desk.put()
        assert http.post(f"/v1/evidence/{picture.evidence_id}/reads", json=WHY).status_code == 200
    with reading(edge.engine) as connection:
        assert len(connection.execute(access_log.select()).all()) == 2


def test_other_content_says_what_it_is(edge: PrivacyHttpPlatform) -> None:
    clip = edge.desk.put(b"\0\0\0\x20ftypisom", kind=EvidenceKind.CLIP)
    with edge.client("asker") as http:
        answer = http.post(f"/v1/evidence/{clip.evidence_id}/reads", json=WHY)
    assert (answer.headers["content-type"], answer.headers["x-shiming-marked"]) == ("video/mp4", "false")
    assert answer.content == b"\0\0\0\x20ftypisom"


def test_nobody_reads_without_purpose_and_case(edge: PrivacyHttpPlatform) -> None:
    ref = edge.desk.put()
    with edge.client("asker") as http:
        for body, expected in (
            ({}, 422),
            ({"purpose": "curiosity", "case": "DSP-1"}, 422),
            ({"purpose": "dispute", "case": "张三"}, 422),
            ({"purpose": "dispute", "case": "DSP-13800138000"}, 400),
            ({**WHY, "more": "1"}, 422),
        ):
            assert http.post(f"/v1/evidence/{ref.evidence_id}/reads", json=body).status_code == expected
    with reading(edge.engine) as connection:
        assert connection.execute(access_log.select()).all() == []


def test_who_may_not_and_what_is_not_there(edge: PrivacyHttpPlatform) -> None:
    ref, gone = edge.desk.put(), edge.desk.put(kind=EvidenceKind.PORTRAIT)
    edge.desk.erase(gone.evidence_id)
    reads = "/v1/evidence/{}/reads"
    for token, evidence_id, expected in (
        (None, ref.evidence_id, (401, "UNAUTHENTICATED")),
        ("nobody", ref.evidence_id, (403, "FORBIDDEN")),
        ("first", ref.evidence_id, (403, "FORBIDDEN")),
        ("stranger", ref.evidence_id, (404, "EVIDENCE_UNKNOWN")),
        ("asker", "EVD-0000-0000-0000-0", (404, "EVIDENCE_UNKNOWN")),
        ("asker", gone.evidence_id, (410, "EVIDENCE_ERASED")),
        ("asker", "11010519491231002X", (422, "REQUEST_INVALID")),
    ):
        with edge.client(token) as http:
            assert code(http.post(reads.format(evidence_id), json=WHY)) == expected
    with edge.client("stranger") as http:
        assert code(http.get(f"/v1/evidence/{ref.evidence_id}")) == (404, "EVIDENCE_UNKNOWN")
        assert http.get("/v1/evidence?case=SES-1").json()["items"] == []


def test_a_corrupt_picture_is_not_shown_unmarked(edge: PrivacyHttpPlatform) -> None:
    ref = edge.desk.put(b"\xff\xd8 broken")
    with edge.client("asker") as http:
        answer = http.post(f"/v1/evidence/{ref.evidence_id}/reads", json=WHY)
    assert code(answer) == (400, "EVIDENCE_PICTURE_UNREADABLE")
    with reading(edge.engine) as connection:
        assert connection.execute(access_log.select()).all() == []


def test_metadata_is_listed_in_pages_for_one_person_or_case(platform: PrivacyHttpPlatform) -> None:
    ids = {platform.desk.put().evidence_id for _ in range(5)}
    with platform.client("asker") as http:
        assert code(http.get("/v1/evidence")) == (400, "EVIDENCE_OF_WHOM")
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(3):
            after = {"cursor": cursor} if cursor else {}
            page = http.get("/v1/evidence", params={"case": "SES-1", "limit": "2"} | after).json()
            found += page["items"]
            cursor = page["next"]
        assert cursor is None
        assert {item["id"] for item in found} == ids
        assert len(found) == 5
        assert found[0].keys() >= {"kind", "operator", "retain_until"}
        other = http.get("/v1/evidence", params={"subject": "ps1.someone-else"}).json()
        assert other == {"items": [], "next": None}
        one = http.get(f"/v1/evidence/{found[0]['id']}").json()
        assert one == found[0]


def test_a_cursor_that_was_made_up_is_refused(edge: PrivacyHttpPlatform) -> None:
    with edge.client("asker") as http:
        for bad in ('["evidence","x","y"]', '["evidence","2026-05-01T12:00:00","EVD-1"]', "nonsense"):
            forged = base64.urlsafe_b64encode(bad.encode()).decode().rstrip("=")
            answer = http.get("/v1/evidence", params={"case": "SES-1", "cursor": forged})
            assert code(answer) == (400, "CURSOR_INVALID")


def test_a_disclosure_from_asking_to_the_zip_file(platform: PrivacyHttpPlatform) -> None:
    front, identity = platform.desk.put(), platform.desk.put_identity()
    platform.desk.put(kind=EvidenceKind.PORTRAIT)
    asked = ask(platform, front, identity)
    assert asked.status_code == 201
    disclosure = asked.json()["id"]
    assert asked.headers["location"] == f"/v1/disclosures/{disclosure}"
    assert (asked.json()["state"], asked.json()["approvals_required"]) == ("requested", 2)
    assert code(step(platform, "asker", disclosure, "execution")) == (409, "DISCLOSURE_NOT_APPROVED")
    assert step(platform, "first", disclosure, "approvals").json()["state"] == "requested"
    assert step(platform, "second", disclosure, "approvals").json()["state"] == "approved"
    answer = step(platform, "asker", disclosure, "execution")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    assert [file["evidence"] for file in manifest["files"]] == [front.evidence_id, identity.evidence_id]
    assert sorted(archive.namelist()) == sorted(
        ["manifest.json", *(file["name"] for file in manifest["files"])]
    )
    for file in manifest["files"]:
        assert hashlib.sha256(archive.read(file["name"])).hexdigest() == file["sha256"]
    assert manifest["recipient"] == RECIPIENT
    assert platform.desk.vault.subject() not in json.dumps(manifest)
    assert code(step(platform, "asker", disclosure, "execution")) == (409, "DISCLOSURE_ALREADY_EXECUTED")
    with platform.client("asker") as http:
        shown = http.get(f"/v1/disclosures/{disclosure}").json()
        assert (shown["state"], shown["executed_by"]) == ("executed", "ACC-asker")
        seen = http.get(f"/v1/subjects/{platform.desk.vault.subject()}/accesses").json()["items"]
    assert [(look["what"], look["recipient"]) for look in seen] == [("disclosed", RECIPIENT)] * 2


def test_the_same_human_approves_through_no_account(edge: PrivacyHttpPlatform) -> None:
    disclosure = ask(edge, edge.desk.put()).json()["id"]
    for token in ("asker", "asker-again"):
        assert code(step(edge, token, disclosure, "approvals")) == (409, "DISCLOSURE_SAME_PERSON")
    assert code(step(edge, "program", disclosure, "approvals")) == (409, "DISCLOSURE_NOT_A_PERSON")
    assert code(step(edge, "nobody", disclosure, "approvals")) == (403, "FORBIDDEN")
    assert code(step(edge, "stranger", disclosure, "approvals")) == (404, "DISCLOSURE_UNKNOWN")
    refused = step(edge, "first", disclosure, "refusal", json={"why": "证据不足"})
    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    assert code(step(edge, "second", disclosure, "approvals")) == (409, "DISCLOSURE_NOT_OPEN")


def test_only_a_seen_version_is_approved(edge: PrivacyHttpPlatform) -> None:
    disclosure = ask(edge, edge.desk.put()).json()["id"]
    place = f"/v1/disclosures/{disclosure}/approvals"
    with edge.client("first") as http:
        assert code(http.post(place)) == (428, "IF_MATCH_MISSING")
        seen = http.get(f"/v1/disclosures/{disclosure}").headers["etag"]
        assert http.post(place, headers={"if-match": seen}).status_code == 200
    with edge.client("second") as http:
        assert code(http.post(place, headers={"if-match": seen})) == (412, "VERSION_CHANGED")


def test_a_request_that_is_sent_twice_happens_once(platform: PrivacyHttpPlatform) -> None:
    ref = platform.desk.put()
    wanted = {
        "subject": platform.desk.vault.subject(),
        "evidence": [ref.evidence_id],
        "purpose": "lawful_request",
        "recipient": RECIPIENT,
        "legal_basis": "law",
        "case": "LAW-1",
    }
    with platform.client("asker") as http:
        answers = [
            http.post("/v1/disclosures", json=wanted, headers={"idempotency-key": "k-1"}) for _ in range(2)
        ]
        assert answers[0].json() == answers[1].json()
        assert len(http.get("/v1/disclosures").json()["items"]) == 1
        other = http.post(
            "/v1/disclosures", json=wanted | {"case": "LAW-2"}, headers={"idempotency-key": "k-1"}
        )
        assert code(other) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_what_may_not_be_asked_for(edge: PrivacyHttpPlatform) -> None:
    ref = edge.desk.put()
    late = (NOW + timedelta(days=181)).isoformat()
    for changes, expected in (
        ({"purpose": "dispute"}, (409, "DISCLOSURE_PURPOSE_NOT_ALLOWED")),
        ({"subject": "ps1.someone-else"}, (409, "DISCLOSURE_NOT_OF_THE_SUBJECT")),
        ({"deferred_until": late}, (409, "DISCLOSURE_DEFERRAL_OUT_OF_BOUNDS")),
        ({"deferred_until": "0001-01-01T00:00:00+14:00"}, (409, "DISCLOSURE_DEFERRAL_OUT_OF_BOUNDS")),
        ({"recipient": "a\u202eb"}, (400, "DISCLOSURE_WORDS")),
        ({"evidence": []}, (422, "REQUEST_INVALID")),
        ({"evidence": [ref.evidence_id] * 2}, (409, "DISCLOSURE_TOO_MUCH_LISTED")),
        ({"operator": "cn-other"}, (403, "FORBIDDEN")),
    ):
        assert code(ask(edge, ref, **changes)) == expected
    assert code(ask(edge, ref, token="first")) == (403, "FORBIDDEN")
    assert code(ask(edge, ref, token="program")) == (409, "DISCLOSURE_NOT_A_PERSON")
    assert code(ask(edge, ref, token="platform")) == (409, "DISCLOSURE_NOT_OF_THE_SUBJECT")
    assert ask(edge, ref, token="platform", operator=OPERATOR).status_code == 201


def test_a_deferred_disclosure_appears_on_its_date(edge: PrivacyHttpPlatform) -> None:
    until = NOW + timedelta(days=30)
    disclosure = ask(edge, edge.desk.put(), deferred_until=until.isoformat()).json()["id"]
    for token in ("first", "second"):
        assert step(edge, token, disclosure, "approvals").status_code == 200
    assert step(edge, "asker", disclosure, "execution").status_code == 200
    place = f"/v1/subjects/{edge.desk.vault.subject()}/accesses"
    with edge.client("asker") as http:
        edge.wait(days=29, hours=23)
        assert http.get(place).json()["items"] == []
        edge.wait(hours=1)
        assert len(http.get(place).json()["items"]) == 1


def test_it_expires(edge: PrivacyHttpPlatform) -> None:
    disclosure = ask(edge, edge.desk.put()).json()["id"]
    edge.wait(hours=72)
    assert code(step(edge, "first", disclosure, "approvals")) == (409, "DISCLOSURE_EXPIRED")
    with edge.client("asker") as http:
        assert http.get(f"/v1/disclosures/{disclosure}").json()["state"] == "expired"


def test_executions_at_once_over_http(platform: PrivacyHttpPlatform) -> None:
    disclosure = ask(platform, platform.desk.put()).json()["id"]
    for token in ("first", "second"):
        step(platform, token, disclosure, "approvals")
    gate, answers = threading.Barrier(4), []

    def execute() -> None:
        with platform.client("asker") as http:
            gate.wait()
            answers.append(http.post(f"/v1/disclosures/{disclosure}/execution", headers={"if-match": "*"}))

    threads = [threading.Thread(target=execute) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


def test_problems_are_said_in_the_callers_language(edge: PrivacyHttpPlatform) -> None:
    disclosure = ask(edge, edge.desk.put()).json()["id"]
    answer = step(edge, "asker", disclosure, "approvals", headers={"accept-language": "zh-CN"})
    assert answer.json()["title"] == "申请人和各审批人必须是不同的人。"


def test_checkpoint_and_proofs_check_out(platform: PrivacyHttpPlatform) -> None:
    with platform.client("asker") as http:
        assert code(http.get("/v1/ledger/checkpoint")) == (404, "CHECKPOINT_UNKNOWN")
        platform.desk.put()
        platform.seal()
        platform.desk.put()
        assert code(http.get("/v1/ledger/proofs/9-9")) == (404, "LEAF_UNKNOWN")
        assert code(http.get("/v1/ledger/proofs/nonsense")) == (422, "REQUEST_INVALID")
        unsealed = [http.get(f"/v1/ledger/proofs/{lane}-{number}") for lane in (1, 2) for number in (1, 2, 3)]
        assert {code(answer)[1] for answer in unsealed if answer.status_code == 409} <= {"LEAF_NOT_SEALED"}
        platform.seal()
        note = http.get("/v1/ledger/checkpoint")
        assert note.headers["content-type"].startswith("text/plain")
        size = int(note.text.split("\n")[1])
        assert note.text.startswith("shiming.example/test\n")
        proof = read_proof(http.get("/v1/ledger/proofs/1-1").json())
        assert proof.checkpoint == note.text
        grown = http.get("/v1/ledger/consistency", params={"from": 1, "to": size}).json()
        assert read_proof(grown).holds  # type: ignore[union-attr] # a proof of consistency
        beyond = http.get("/v1/ledger/consistency", params={"from": 1, "to": size + 1})
        assert code(beyond) == (400, "LEDGER_SIZE_UNKNOWN")
        assert http.get("/v1/ledger/consistency", params={"from": 1}).json()["new_size"] == size
    with platform.client("nobody") as http:
        assert code(http.get("/v1/ledger/checkpoint")) == (403, "FORBIDDEN")


def test_a_witness_gives_its_signature_back_over_http(platform: PrivacyHttpPlatform) -> None:
    platform.desk.put()
    platform.seal()
    signer = NoteSigner("w.example", Ed25519Signer.from_seed(b"w" * 32))
    with platform.client("asker") as http:
        note = http.get("/v1/ledger/checkpoint").text
        assert code(http.post("/v1/ledger/cosignatures", json={"note": note})) == (403, "FORBIDDEN")
    cosigned = {"note": str(signer.cosign(parse_note(note), NOW))}
    with platform.client("witness") as http:
        assert code(http.post("/v1/ledger/cosignatures", json=cosigned)) == (400, "NO_KNOWN_WITNESS")
        platform.witness_keys = (signer.cosigning_key,)
        done = http.post("/v1/ledger/cosignatures", json=cosigned, headers={"idempotency-key": "once"})
        assert done.status_code == 200
        assert done.json()["added"] == ["w.example"]
        again = http.post("/v1/ledger/cosignatures", json=cosigned, headers={"idempotency-key": "once"})
        assert again.json() == done.json()
        assert again.headers["idempotency-replayed"] == "true"
        other = {"note": cosigned["note"].replace("shiming.example/test\n", "other.example/log\n", 1)}
        assert code(http.post("/v1/ledger/cosignatures", json=other)) == (400, "CHECKPOINT_ORIGIN_OTHER")
        lines = note.split("\n")
        beyond = "\n".join((lines[0], "9" * 19, *lines[2:]))
        assert code(http.post("/v1/ledger/cosignatures", json={"note": beyond})) == (
            404,
            "CHECKPOINT_UNKNOWN",
        )
    with platform.client("asker") as http:
        assert http.get("/v1/ledger/checkpoint").text == cosigned["note"]


def test_copies_name_the_operator(edge: PrivacyHttpPlatform) -> None:
    assert edge.operator_name(OPERATOR) == OPERATOR_NAME
    nameless = edge.desk.put(operator="")
    with edge.client("platform") as http:
        answer = http.post(f"/v1/evidence/{nameless.evidence_id}/reads", json=WHY)
    assert code(answer) == (503, "WATERMARK_OPERATOR")
