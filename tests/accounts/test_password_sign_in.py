import threading
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shiming.accounts.connectors.passwords import Argon2Passwords
from shiming.accounts.jobs import forget_sign_ins
from shiming.accounts.model import PrincipalKind, Role, SignInMethod
from shiming.accounts.rules.password_policy import PasswordFlaw, decide_password
from shiming.accounts.store import accounts as account_store
from shiming.accounts.use_cases.accounts import disable_account, reset_credentials
from shiming.accounts.use_cases.gatekeeper import Credentials, NotAuthenticated
from shiming.accounts.use_cases.password_sign_in import (
    SignInRefused,
    change_password,
    enrol_password,
    sign_in_by_password,
)
from shiming.accounts.use_cases.sessions import SignedIn, sign_out
from shiming.infrastructure.database import reading, unit_of_work
from shiming.vocabulary.errors import BadInput
from tests.accounts.account_builders import BY, PASSWORD, Desk, a_desk


def sign_in(desk: Desk, password: str = PASSWORD, name: str = "li.wei") -> SignedIn | SignInRefused:
    return sign_in_by_password(desk.tools, desk.engine, user_name=name, password=password)


def test_a_person_enrols_and_signs_in_and_out(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    desk.enrolled(account)
    found = sign_in(desk)
    assert isinstance(found, SignedIn)
    principal = desk.gatekeeper.authenticate(Credentials(session=found.token))
    assert principal is not None
    assert not isinstance(principal, NotAuthenticated)
    assert (principal.reference, principal.kind) == (account.reference, PrincipalKind.STAFF)
    assert principal.roles == {Role.CLERK}
    with unit_of_work(database) as connection:
        sign_out(desk.tools, connection, account.reference, found.token)
    assert desk.gatekeeper.authenticate(Credentials(session=found.token)) == NotAuthenticated("SESSION_OVER")
    assert desk.leaf_kinds() == [
        "account.created",
        "account.invited",
        "credential.password_set",
        "login.succeeded",
        "login.succeeded",
        "logout",
    ]


def test_nothing_secret_is_stored(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account(person="11010519491231002X")
    token = desk.invitation(account)
    enrolled = enrol_password(desk.tools, database, token=token, password=PASSWORD)
    assert isinstance(enrolled, SignedIn)
    sign_in(desk, name="a password typed as a name")
    stored = desk.everything_stored()
    for secret in (PASSWORD, token, enrolled.token, enrolled.csrf_token, "11010519491231002X", "typed"):
        assert secret not in stored
        assert secret not in repr((account, enrolled))


@pytest.mark.parametrize("name", ["li.wei", "nobody"])
def test_a_wrong_password_and_an_unknown_name_look_alike(sqlite_engine: Engine, name: str) -> None:
    desk = a_desk(sqlite_engine)
    desk.enrolled(desk.account())
    assert sign_in(desk, "wrong password", name) == SignInRefused("SIGN_IN_FAILED")
    assert desk.leaf_kinds()[-1] == "login.failed"


def test_an_unknown_name_costs_a_hash_as_well() -> None:
    hashed: list[str | None] = []

    class Counting(Argon2Passwords):
        def matches(self, stored: str | None, password: str) -> bool:
            hashed.append(stored)
            return super().matches(stored, password)

    passwords = Counting(memory_kib=64, passes=1)
    assert not passwords.matches(None, "what nobody has chosen")
    assert hashed == [None]


def test_failures_lock_and_time_unlocks(database: Engine) -> None:
    desk = a_desk(database)
    desk.enrolled(desk.account())
    for _ in range(5):
        assert sign_in(desk, "wrong password") == SignInRefused("SIGN_IN_FAILED")
    assert sign_in(desk) == SignInRefused("SIGN_IN_LOCKED", 30)
    assert sign_in(desk) == SignInRefused("SIGN_IN_LOCKED", 30), "waiting is not made longer by trying"
    assert desk.leaf_kinds()[-1] == "login.locked"
    desk.clock.forward(seconds=30)
    assert isinstance(sign_in(desk), SignedIn)
    assert sign_in(desk, "wrong password") == SignInRefused("SIGN_IN_FAILED"), "a success forgives"


def test_the_wait_doubles(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    waits = []
    for _ in range(9):
        found = sign_in(desk, "wrong password", "nobody")
        if found == SignInRefused("SIGN_IN_FAILED"):
            found = sign_in(desk, "wrong password", "nobody")
        assert isinstance(found, SignInRefused)
        if found.retry_after_s:
            waits.append(found.retry_after_s)
            desk.clock.forward(seconds=found.retry_after_s)
    assert waits == [30, 60, 120, 240, 480, 960, 1920]


def test_many_guesses_at_once_are_counted_one_by_one(database: Engine) -> None:
    desk = a_desk(database)
    desk.enrolled(desk.account())
    found: list[SignedIn | SignInRefused] = []

    def guess() -> None:
        found.append(sign_in(desk, "wrong password"))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(SignInRefused("SIGN_IN_FAILED")) == 5
    assert len(found) == 12


def test_an_enrolment_token_is_good_once_and_for_a_while(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    early, late = desk.invitation(account), desk.invitation(account)
    refused = SignInRefused("ENROLMENT_REFUSED")
    assert enrol_password(desk.tools, database, token=early, password=PASSWORD) == refused, "replaced"
    with pytest.raises(BadInput) as flaw:
        enrol_password(desk.tools, database, token=late, password="short")
    assert flaw.value.code == "PASSWORD_TOO_SHORT"
    assert isinstance(enrol_password(desk.tools, database, token=late, password=PASSWORD), SignedIn)
    assert enrol_password(desk.tools, database, token=late, password=PASSWORD) == refused
    with pytest.raises(BadInput) as exists:
        desk.invitation(account)
    assert exists.value.code == "CREDENTIALS_EXIST"
    old = desk.invitation(desk.account("zhang.san"))
    desk.clock.forward(hours=72)
    assert enrol_password(desk.tools, database, token=old, password=PASSWORD) == refused


def test_changing_or_resetting_a_password_ends_sessions(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    first = desk.enrolled(account)
    other = "another long phrase"
    wrong = change_password(desk.tools, database, account=account.reference, present="no", password=other)
    assert wrong == SignInRefused("SIGN_IN_FAILED")
    changed = change_password(
        desk.tools, database, account=account.reference, present=PASSWORD, password=other
    )
    assert isinstance(changed, SignedIn)
    assert isinstance(desk.gatekeeper.authenticate(Credentials(session=first.token)), NotAuthenticated)
    with unit_of_work(database) as connection:
        reset_credentials(desk.tools, connection, account, by=BY)
    assert isinstance(desk.gatekeeper.authenticate(Credentials(session=changed.token)), NotAuthenticated)
    assert sign_in(desk, other) == SignInRefused("SIGN_IN_FAILED")


def test_a_disabled_account_is_out_at_once(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    session = desk.enrolled(account)
    with unit_of_work(database) as connection:
        disable_account(desk.tools, connection, account, by=BY)
    assert isinstance(desk.gatekeeper.authenticate(Credentials(session=session.token)), NotAuthenticated)
    assert sign_in(desk) == SignInRefused("SIGN_IN_FAILED")


@pytest.mark.parametrize(("minutes", "steps", "is_live"), [(29, 20, True), (30, 1, False), (29, 25, False)])
def test_sessions_end_idle_and_at_the_end_of_a_shift(
    sqlite_engine: Engine, minutes: int, steps: int, *, is_live: bool
) -> None:
    desk = a_desk(sqlite_engine)
    session = desk.enrolled(desk.account())
    found: object = None
    for _ in range(steps):
        desk.clock.forward(minutes=minutes)
        found = desk.gatekeeper.authenticate(Credentials(session=session.token))
    assert isinstance(found, NotAuthenticated) is not is_live


def test_signing_in_again_replaces_the_session_of_the_browser(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    first = desk.enrolled(desk.account())
    second = sign_in_by_password(
        desk.tools, sqlite_engine, user_name="li.wei", password=PASSWORD, replaces=first.token
    )
    assert isinstance(second, SignedIn)
    assert second.token != first.token
    assert isinstance(desk.gatekeeper.authenticate(Credentials(session=first.token)), NotAuthenticated)


def test_changes_need_the_csrf_token_of_this_session(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    session, other = desk.enrolled(desk.account()), desk.enrolled(desk.account("zhang.san"))
    refused = NotAuthenticated("CSRF_TOKEN_MISSING")
    for token in (None, "", "x", "\ud800", other.csrf_token):
        shown = Credentials(session=session.token, csrf=token, changes=True)
        assert desk.gatekeeper.authenticate(shown) == refused
    shown = Credentials(session=session.token, csrf=session.csrf_token, changes=True)
    assert not isinstance(desk.gatekeeper.authenticate(shown), NotAuthenticated)


def test_a_password_is_not_enough_for_high_roles(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    session = desk.enrolled(desk.account("chen", Role.ADMINISTRATOR))
    assert session.must_enrol_passkey
    assert session.method is SignInMethod.PASSWORD
    principal = desk.gatekeeper.authenticate(Credentials(session=session.token))
    assert principal is not None
    assert not isinstance(principal, NotAuthenticated)
    assert principal.must_enrol_passkey


def test_a_hash_with_old_parameters_is_renewed(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    desk.enrolled(desk.account())
    stronger = replace(desk.tools, passwords=Argon2Passwords(memory_kib=128, passes=1))
    assert isinstance(
        sign_in_by_password(stronger, sqlite_engine, user_name="li.wei", password=PASSWORD), SignedIn
    )
    with reading(sqlite_engine) as connection:
        row = account_store.find_by_user_name(connection, "li.wei")
    assert row is not None
    assert row.password_hash is not None
    assert "m=128" in row.password_hash
    assert isinstance(sign_in(desk), SignedIn)


def test_what_expired_is_forgotten(database: Engine) -> None:
    desk = a_desk(database)
    account = desk.account()
    desk.enrolled(account)
    desk.invitation(desk.account("zhang.san"))
    sign_in(desk, "wrong password")
    desk.clock.forward(days=31)
    assert forget_sign_ins(desk.tools, database) == 3
    assert forget_sign_ins(desk.tools, database) == 0


@settings(deadline=None)  # a loaded machine is no failure
@given(st.text(max_size=140), st.text(max_size=20))
def test_every_accepted_password_is_long_and_does_not_hold_the_name(password: str, name: str) -> None:
    flaws = decide_password(password, user_name=name)
    assert (PasswordFlaw.TOO_SHORT in flaws) is (len(password_form(password)) < 12)
    if not flaws:
        assert len(name) < 4 or name.casefold() not in password.casefold() or name != name.strip()


def password_form(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@pytest.mark.parametrize(
    ("password", "flaw"),
    [
        ("Password-Password-1", PasswordFlaw.GUESSED_FIRST),
        ("aaaaaaaaaaaaaaa", PasswordFlaw.GUESSED_FIRST),
        ("abcdefghijklmnop", PasswordFlaw.GUESSED_FIRST),
        ("1234512345123451234", None),
        ("li.wei is my name", PasswordFlaw.CONTAINS_NAME),
        ("ＬＩ．ＷＥＩ is my name", PasswordFlaw.CONTAINS_NAME),
        ("x" * 60 + "yzabc" * 20, PasswordFlaw.TOO_LONG),
        ("四个汉字不够", PasswordFlaw.TOO_SHORT),
        ("清风明月本无价近水远山皆有情", None),
    ],
)
def test_passwords(password: str, flaw: PasswordFlaw | None) -> None:
    found = decide_password(password, user_name="li.wei")
    assert flaw in found if flaw else found == ()
