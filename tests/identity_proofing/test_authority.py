"""One contract for every authority: the OSIA connector over real HTTP and the fake answer alike."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiming.identity_proofing.connectors.fake import NullAuthority
from shiming.identity_proofing.connectors.osia import OsiaAuthority, attribute_set
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.model.evidence import AuthorityAnswer
from shiming.identity_proofing.ports import AuthorityPort, AuthorityQuestion
from shiming.identity_proofing.sandbox_authority.faults import Fault, Faults
from shiming.identity_proofing.sandbox_authority.in_memory import FakeAuthority
from shiming.identity_proofing.sandbox_authority.population import CardStatus, PersonRecord, read_population
from shiming.identity_proofing.sandbox_authority.server import serving
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.infrastructure.http_client import HttpService, ResilientClient
from shiming.vocabulary.errors import BadInput

TODAY = "2026-11-22"
NUMBER = "11010519491231002X"
TOKEN = "a test token"


def a_person(number: str = NUMBER, **changes: Any) -> PersonRecord:
    return PersonRecord(
        number=number, name="王小明", birth_date=date(1949, 12, 31), valid_to=date(2030, 1, 1),
        portrait=Path("portrait.jpg"),
    ).model_copy(update=changes)  # fmt: skip


POPULATION = {
    person.number: person
    for person in (
        a_person(),
        a_person("lost", status=CardStatus.LOST),
        a_person("expired", status=CardStatus.EXPIRED),
        a_person("past", valid_to=date(2026, 11, 21)),
        a_person("today", valid_to=date(2026, 11, 22)),
        a_person("for ever", valid_to="long_term"),
        a_person("no portrait", portrait=None),
        a_person("bare", birth_date=None, valid_to=None),
        a_person("a/b?c=1", name="Ann Other"),
    )
}
ME = ClaimedIdentity(
    "resident_id", NUMBER, "王小明", date(1949, 12, 31), "male", date(2010, 1, 1), date(2030, 1, 1)
)


def same_person(sent: bytes, _on_record: Path) -> bool:
    return sent == b"me"


def a_question(
    number: str | None = NUMBER, *, portrait: bytes | None = b"me", **changes: Any
) -> AuthorityQuestion:
    return AuthorityQuestion("TRX-1", "CN_RESIDENT_NUMBER", replace(ME, number=number, **changes), portrait)


@dataclass
class Served:
    authority: AuthorityPort
    sandbox: SandboxAuthority | None = None


@contextmanager
def over_http(**service: Any) -> Iterator[Served]:
    sandbox = SandboxAuthority(POPULATION, same_person, lambda: TODAY, token=TOKEN, faults=Faults())
    with serving(sandbox) as url:
        settings = {"token": TOKEN, "attempts_max": 1, "read_timeout_s": 5.0, **service}
        client = ResilientClient(HttpService(url, **settings), sleep=lambda _s: None)
        try:
            yield Served(OsiaAuthority(client), sandbox)
        finally:
            client.close()


@contextmanager
def in_memory() -> Iterator[Served]:
    yield Served(FakeAuthority(POPULATION, same_person, lambda: TODAY))


@pytest.fixture(scope="module", params=[over_http, in_memory], ids=["osia over http", "fake"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    opened: AbstractContextManager[Served] = request.param()
    with opened as result:
        yield result


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (a_question(), AuthorityAnswer.MATCH),
        (a_question(portrait=None), AuthorityAnswer.MATCH),
        (a_question(name=None, birth_date=None, valid_to=None, portrait=None), AuthorityAnswer.MATCH),
        (a_question(name="王 小明"), AuthorityAnswer.MATCH),
        (a_question(portrait=b"somebody else"), AuthorityAnswer.MISMATCH),
        (a_question(name="王小朋"), AuthorityAnswer.MISMATCH),
        (a_question(birth_date=date(1949, 12, 30)), AuthorityAnswer.MISMATCH),
        (a_question(valid_to=date(2040, 1, 1)), AuthorityAnswer.MISMATCH),
        (a_question("nobody"), AuthorityAnswer.UNKNOWN_PERSON),
        (a_question("lost"), AuthorityAnswer.CARD_LOST),
        (a_question("expired"), AuthorityAnswer.CARD_EXPIRED),
        (a_question("past", valid_to=date(2026, 11, 21)), AuthorityAnswer.CARD_EXPIRED),
        (a_question("today", valid_to=date(2026, 11, 22)), AuthorityAnswer.MATCH),
        (a_question("for ever", valid_to=None), AuthorityAnswer.MATCH),
        (a_question("no portrait"), AuthorityAnswer.MISMATCH),
        (a_question("bare"), AuthorityAnswer.MATCH),
        (a_question("a/b?c=1", name="ann other"), AuthorityAnswer.MATCH),
        (a_question(None), AuthorityAnswer.NOT_ASKED),
    ],
)
def test_every_authority_answers_alike(
    served: Served, question: AuthorityQuestion, answer: AuthorityAnswer
) -> None:
    assert served.authority.verify(question).answer is answer


def test_the_fake_says_that_it_is_one(caplog: pytest.LogCaptureFixture) -> None:
    down = FakeAuthority(POPULATION, same_person, lambda: TODAY, down=True)
    assert "FAKE AUTHORITY" in caplog.text
    assert down.verify(a_question()).answer is AuthorityAnswer.UNREACHABLE


def test_no_authority_asks_nobody() -> None:
    assert NullAuthority().verify(a_question()).answer is AuthorityAnswer.NOT_ASKED


@pytest.mark.parametrize(
    ("fault", "answer", "detail"),
    [
        (Fault.DOWN, AuthorityAnswer.UNREACHABLE, "STATUS_503"),
        (Fault.WRONG, AuthorityAnswer.UNREACHABLE, "ANSWER_NOT_UNDERSTOOD"),
        (Fault.SLOW, AuthorityAnswer.UNREACHABLE, "TIMEOUT"),
        (Fault.DENY, AuthorityAnswer.MISMATCH, ""),
        (Fault.EXPIRED_CARD, AuthorityAnswer.CARD_EXPIRED, ""),
        (Fault.LOST_CARD, AuthorityAnswer.CARD_LOST, ""),
    ],
)
def test_faults_on_demand(fault: Fault, answer: AuthorityAnswer, detail: str) -> None:
    patience_s = 0.3 if fault is Fault.SLOW else 5.0
    with over_http(read_timeout_s=patience_s) as served:
        assert served.sandbox is not None
        served.sandbox.faults.on, served.sandbox.faults.delay_s = frozenset({fault}), 0.6
        reply = served.authority.verify(a_question())
    assert (reply.answer, reply.detail) == (answer, detail)


def test_faults_are_set_over_http() -> None:
    sandbox = SandboxAuthority(POPULATION, same_person, lambda: TODAY)
    with serving(sandbox) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/health").json()["sandbox"] is True
        set_to = client.post("/faults", json={"faults": ["down", "slow"], "delay_s": 0}).json()
        assert set_to == {"faults": ["down", "slow"], "delay_s": 0.0} == client.get("/faults").json()
        assert client.post("/faults", json={"faults": ["rain"]}).status_code == 400
        assert client.post("/v1/verify/x?transactionId=1", json={}).status_code == 503
        client.post("/faults", json={})
        for query, body in (("", {}), ("transactionId=1", {"gallery": []}), ("transactionId=1", {
            "biometricData": [{"biometricType": "FACE", "image": "!"}]}), ("transactionId=1", {
            "biometricData": [{"biometricType": "FACE"}, {"biometricType": "FACE"}]})):  # fmt: skip
            assert client.post(f"/v1/verify/{NUMBER}?{query}", json=body).status_code == 400
        assert client.post("/v1/verify/nobody?transactionId=1", json={}).status_code == 404


def test_a_wrong_token_is_no_answer() -> None:
    with over_http(token="another token") as served:
        reply = served.authority.verify(a_question())
    assert (reply.answer, reply.detail) == (AuthorityAnswer.UNREACHABLE, "STATUS_401")


def test_a_passing_trouble_is_retried_and_a_lasting_one_opens_the_circuit() -> None:
    with over_http(attempts_max=3, breaker_failures_max=4, breaker_reset_s=600.0) as served:
        assert served.sandbox is not None
        served.sandbox.faults.on = frozenset({Fault.DOWN})
        assert served.authority.verify(a_question()).detail == "STATUS_503"
        assert served.authority.verify(a_question()).detail == "CIRCUIT_OPEN"
        served.sandbox.faults.on = frozenset()
        assert served.authority.verify(a_question()).detail == "CIRCUIT_OPEN"  # not asked for a while


def test_nobody_listening_is_unreachable() -> None:
    client = ResilientClient(HttpService("http://127.0.0.1:9", attempts_max=2), sleep=lambda _s: None)
    reply = OsiaAuthority(client).verify(a_question())
    assert (reply.answer, reply.detail) == (AuthorityAnswer.UNREACHABLE, "CONNECTION")


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b'{"verificationCode": 1, "verificationMessage": ""}', AuthorityAnswer.MATCH),
        (b'{"verificationCode": 0, "verificationMessage": "OTHER"}', AuthorityAnswer.MISMATCH),
        (b'{"verificationCode": 7, "verificationMessage": ""}', AuthorityAnswer.UNREACHABLE),
        (b'{"verificationCode": true, "verificationMessage": ""}', AuthorityAnswer.UNREACHABLE),
        (b'{"verificationCode": "1", "verificationMessage": ""}', AuthorityAnswer.UNREACHABLE),
        (b'{"verificationCode": 1}', AuthorityAnswer.UNREACHABLE),
        (b"true", AuthorityAnswer.UNREACHABLE),
        (b"<html>", AuthorityAnswer.UNREACHABLE),
        (b"", AuthorityAnswer.UNREACHABLE),
    ],
)
def test_only_a_plain_one_is_a_yes(content: bytes, answer: AuthorityAnswer) -> None:
    class Canned:
        def post_json(self, *_: object) -> httpx.Response:
            return httpx.Response(200, content=content)

    assert OsiaAuthority(Canned()).verify(a_question()).answer is answer  # type: ignore[arg-type]


def test_one_portrait_at_most_and_nothing_unread_is_sent() -> None:
    full = attribute_set(a_question())
    assert len(full["biometricData"]) == 1
    assert full["biographicData"] == {"fullName": "王小明", "dateOfBirth": "1949-12-31", "gender": "M"}
    assert full["credentialData"][0]["expiryDate"] == "2030-01-01T00:00:00Z"
    bare = attribute_set(
        a_question(portrait=None, name=None, birth_date=None, sex=None, valid_from=None, valid_to=None)
    )
    assert bare == {
        "biographicData": {}, "credentialData": [{"credentialNumber": NUMBER, "credentialType": "ID_CARD"}],
    }  # fmt: skip


def test_identity_is_masked_when_shown() -> None:
    assert NUMBER not in repr(a_question())
    assert "王小明" not in repr(a_question())
    assert "pixels" not in repr(a_question(portrait=b"pixels"))


def test_a_population_file(tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(
        '{"people": [{"number": "1234", "name": "A", "portrait": "a.jpg", "valid_to": "long_term"}]}'
    )
    person = read_population(file)["1234"]
    assert person.portrait == tmp_path / "a.jpg"
    assert "1234" not in repr(person)
    for broken in (
        "",
        "[]",
        '{"people": [{"number": "1234"}]}',
        '{"people": [{"number": "1234", "name": ""}]}',
    ):
        file.write_text(broken)
        with pytest.raises(BadInput, match="POPULATION_INVALID"):
            read_population(file)
    with pytest.raises(BadInput, match="POPULATION_INVALID"):
        read_population(tmp_path / "none.json")
