from typing import Any

import pytest
from sqlalchemy.engine import Engine

from shiming.accounts.model import Account, Role, SignInMethod
from shiming.accounts.use_cases.accounts import disable_account, reset_credentials
from shiming.accounts.use_cases.gatekeeper import Credentials, NotAuthenticated
from shiming.accounts.use_cases.passkeys import (
    EnrolledPasskey,
    begin_enrolment,
    begin_sign_in,
    enrol_passkey,
    sign_in_by_passkey,
)
from shiming.accounts.use_cases.password_sign_in import SignInRefused, sign_in_by_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.infrastructure.database import unit_of_work
from shiming.vocabulary.errors import BadInput
from tests.accounts.account_builders import BY, PASSWORD, Desk, a_desk
from tests.accounts.virtual_authenticator import VirtualAuthenticator

REFUSED = SignInRefused("PASSKEY_REFUSED")


def enrolment_options(desk: Desk, account: Account) -> dict[str, Any]:
    with unit_of_work(desk.engine) as connection:
        return begin_enrolment(desk.tools, connection, account.reference)


def enrol(desk: Desk, account: Account, answer: dict[str, Any]) -> EnrolledPasskey | SignInRefused:
    with unit_of_work(desk.engine) as connection:
        return enrol_passkey(desk.tools, connection, account.reference, answer, name="token")


def sign_in_options(desk: Desk) -> dict[str, Any]:
    with unit_of_work(desk.engine) as connection:
        return begin_sign_in(desk.tools, connection)


def sign_in(desk: Desk, answer: dict[str, Any]) -> SignedIn | SignInRefused:
    with unit_of_work(desk.engine) as connection:
        return sign_in_by_passkey(desk.tools, connection, answer)


def an_enrolled(desk: Desk, account: Account, **how: Any) -> VirtualAuthenticator:
    device = VirtualAuthenticator(**how)
    assert isinstance(enrol(desk, account, device.create(enrolment_options(desk, account))), EnrolledPasskey)
    return device


def test_a_passkey_is_enrolled_and_signs_in(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account("chen", Role.ADMINISTRATOR)
    devices = [an_enrolled(desk, account, attestation=form) for form in ("none", "packed")]
    for device in devices * 2:
        found = sign_in(desk, device.get(sign_in_options(desk)))
        assert isinstance(found, SignedIn)
        assert (found.account.reference, found.method) == (account.reference, SignInMethod.PASSKEY)
        assert not found.must_enrol_passkey
    assert desk.leaf_kinds()[-3:] == ["login.succeeded"] * 3


def test_options_ask_for_a_verified_person_and_name_no_key(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    device = an_enrolled(desk, account)
    creating, getting = enrolment_options(desk, account), sign_in_options(desk)
    assert creating["authenticatorSelection"]["userVerification"] == "required"
    assert creating["authenticatorSelection"]["residentKey"] == "required"
    assert [key["id"] for key in creating["excludeCredentials"]] == [device.create(creating)["id"]]
    assert getting["userVerification"] == "required"
    assert not getting.get("allowCredentials")
    assert creating["challenge"] != enrolment_options(desk, account)["challenge"]


def test_an_answer_from_elsewhere_is_refused(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    device = an_enrolled(desk, account)
    all_lies: list[dict[str, Any]] = [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8001"},
        {"domain": "evil.example"},
        {"verifies_user": False},
    ]
    for lies in all_lies:
        created = VirtualAuthenticator().create(enrolment_options(desk, account), **lies)
        assert enrol(desk, account, created) == REFUSED
        assert sign_in(desk, device.get(sign_in_options(desk), **lies)) == REFUSED
        assert desk.leaf_kinds()[-1] == "login.failed"
    assert isinstance(sign_in(desk, device.get(sign_in_options(desk))), SignedIn)


def test_no_answer_is_good_twice(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    device = VirtualAuthenticator()
    created = device.create(enrolment_options(desk, account))
    assert isinstance(enrol(desk, account, created), EnrolledPasskey)
    assert enrol(desk, account, created) == REFUSED
    answer = device.get(sign_in_options(desk))
    assert isinstance(sign_in(desk, answer), SignedIn)
    assert sign_in(desk, answer) == REFUSED


def test_a_failed_answer_uses_the_challenge_up(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    device = an_enrolled(desk, desk.account())
    options = sign_in_options(desk)
    assert sign_in(desk, device.get(options, origin="https://evil.example")) == REFUSED
    assert sign_in(desk, device.get(options)) == REFUSED


def test_a_challenge_is_ours_fresh_and_for_its_purpose(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account, other = desk.account(), desk.account("zhang.san")
    device = an_enrolled(desk, account)
    assert sign_in(desk, device.get({"challenge": "AAAA"})) == REFUSED
    assert sign_in(desk, device.get(enrolment_options(desk, account))) == REFUSED
    stolen = VirtualAuthenticator().create(enrolment_options(desk, account))
    assert enrol(desk, other, stolen) == REFUSED
    options = sign_in_options(desk)
    desk.clock.forward(minutes=5)
    assert sign_in(desk, device.get(options)) == REFUSED


def test_another_key_under_a_known_name_is_refused(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    device = an_enrolled(desk, desk.account())
    thief = VirtualAuthenticator(credential_id=device.credential_id, user_handle=device.user_handle)
    assert sign_in(desk, thief.get(sign_in_options(desk))) == REFUSED
    assert sign_in(desk, VirtualAuthenticator().get(sign_in_options(desk))) == REFUSED


def test_a_known_key_id_is_not_enrolled_again(database: Engine) -> None:
    desk = a_desk(database)
    device = an_enrolled(desk, desk.account())
    other = desk.account("zhang.san")
    copy = VirtualAuthenticator(credential_id=device.credential_id)
    assert enrol(desk, other, copy.create(enrolment_options(desk, other))) == REFUSED
    assert isinstance(sign_in(desk, device.get(sign_in_options(desk))), SignedIn)


def test_a_counter_that_goes_backwards_suspends_the_key(database: Engine) -> None:
    desk = a_desk(database)
    device = an_enrolled(desk, desk.account())
    for _ in range(3):
        assert isinstance(sign_in(desk, device.get(sign_in_options(desk))), SignedIn)
    copied = sign_in(desk, device.get(sign_in_options(desk), sign_count=2))
    assert copied == SignInRefused("PASSKEY_SUSPENDED")
    assert desk.leaf_kinds()[-1] == "credential.passkey_suspended"
    device.sign_count = 50
    assert sign_in(desk, device.get(sign_in_options(desk))) == REFUSED


def test_authenticators_that_do_not_count_are_fine(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    device = an_enrolled(desk, desk.account())
    for _ in range(2):
        found = sign_in(desk, device.get(sign_in_options(desk), sign_count=0))
        assert isinstance(found, SignedIn)


def test_who_has_a_passkey_and_a_high_role_signs_in_with_it(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account("chen", Role.ADMINISTRATOR)
    weak = desk.enrolled(account)
    options = enrolment_options(desk, account)
    with unit_of_work(sqlite_engine) as connection:
        strong = enrol_passkey(
            desk.tools,
            connection,
            account.reference,
            VirtualAuthenticator().create(options),
            replaces=weak.token,
        )
    assert isinstance(strong, EnrolledPasskey)
    assert isinstance(desk.gatekeeper.authenticate(Credentials(session=weak.token)), NotAuthenticated)
    principal = desk.gatekeeper.authenticate(Credentials(session=strong.session.token))
    assert principal is not None
    assert not isinstance(principal, NotAuthenticated)
    assert not principal.must_enrol_passkey
    by_password = sign_in_by_password(desk.tools, sqlite_engine, user_name="chen", password=PASSWORD)
    assert by_password == SignInRefused("PASSKEY_REQUIRED")


def test_disabled_and_lost(database: Engine) -> None:
    desk = a_desk(database)
    first, second = desk.account(), desk.account("zhang.san")
    lost, dismissed = an_enrolled(desk, first), an_enrolled(desk, second)
    with unit_of_work(database) as connection:
        reset_credentials(desk.tools, connection, first, by=BY, passkeys=True)
        disable_account(desk.tools, connection, second, by=BY)
    for device in (lost, dismissed):
        assert sign_in(desk, device.get(sign_in_options(desk))) == REFUSED


def test_passkeys_are_limited(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    for _ in range(10):
        an_enrolled(desk, account)
    with pytest.raises(BadInput) as refused:
        enrolment_options(desk, account)
    assert refused.value.code == "PASSKEYS_TOO_MANY"


def test_malformed_answers_are_refused(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    malformed: list[dict[str, Any]] = [
        {},
        {"response": None},
        {"response": {"clientDataJSON": "!"}},
        {"response": {"clientDataJSON": "bnVsbA"}},
        {"response": {"clientDataJSON": 7}, "rawId": []},
        {"response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiAiXHVkODAwIn0"}, "rawId": "\ud800"},
    ]
    for answer in malformed:
        assert sign_in(desk, answer) == REFUSED
        assert enrol(desk, account, answer) == REFUSED


def test_damaged_parts_are_refused(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    damages: list[Any] = ["", "AAAA", "!", 7, None, ["x"], {"a": 1}]
    for damage in damages:
        created = VirtualAuthenticator().create(enrolment_options(desk, account))
        assert enrol(desk, account, {**created, "id": damage}) == REFUSED
        created = VirtualAuthenticator().create(enrolment_options(desk, account))
        damaged = {**created["response"], "attestationObject": damage}
        assert enrol(desk, account, {**created, "response": damaged}) == REFUSED
    device = an_enrolled(desk, account)
    for part in ("authenticatorData", "signature"):
        for damage in damages:
            answer = device.get(sign_in_options(desk))
            assert sign_in(desk, {**answer, "response": {**answer["response"], part: damage}}) == REFUSED
    assert sign_in(desk, {**device.get(sign_in_options(desk)), "id": "AAAA"}) == REFUSED
