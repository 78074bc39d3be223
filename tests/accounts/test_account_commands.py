import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from joserfc.jwk import ECKey
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from shiming.accounts.asking import HttpGatekeeper
from shiming.accounts.client_commands import clients
from shiming.accounts.commands import accounts
from shiming.accounts.model import Role
from shiming.accounts.permissions import MayManageAccounts, MayReadOwnAccount
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.accounts.use_cases.tools import AccountTools
from shiming.infrastructure.http.asking import Caller
from shiming.vocabulary.errors import ShimingError
from tests.accounts.account_builders import PASSWORD, Desk, a_desk

PERSON = "11010519491231002X"


@dataclass
class CommandPlatform:
    desk: Desk
    language: str = "en"

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    @property
    def accounts(self) -> AccountTools:
        return self.desk.tools


def run(desk: Desk, group: typer.Typer, *words: str, language: str = "en", given: str | None = None) -> str:
    platform = CommandPlatform(desk, language)
    found = CliRunner().invoke(group, list(words), obj=lambda: platform, input=given)
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.output


def run_json(desk: Desk, group: typer.Typer, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(desk, group, *words, "--json"))
    return answer


def test_the_first_administrator(database: Engine) -> None:
    desk = a_desk(database)
    words = ("create", "Li.Wei", "--role", "administrator", "--person", PERSON)
    created = run_json(desk, accounts, *words)
    found = enrol_password(desk.tools, database, token=created["enrolment_token"], password=PASSWORD)
    assert isinstance(found, SignedIn)
    (shown,) = run_json(desk, accounts, "list")["accounts"]
    assert (shown["user_name"], shown["roles"]) == ("li.wei", ["administrator"])
    assert PERSON not in desk.everything_stored()
    assert desk.leaf_kinds()[:2] == ["account.created", "account.invited"]


def test_the_number_of_the_person_is_asked_for(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    shown = run(desk, accounts, "create", "li.wei", "--role", "clerk", given=f"{PERSON}\n", language="zh")
    assert PERSON not in shown
    assert "一次性令牌" in shown


def test_an_account_through_its_life(database: Engine) -> None:
    desk = a_desk(database)
    run(desk, accounts, "create", "chen", "--role", "administrator", "--person", "E-1")
    run(desk, accounts, "create", "li.wei", "--role", "clerk", "--person", "E-2", "--operator", "cn-mobile")
    (changed,) = run_json(desk, accounts, "roles", "li.wei", "--role", "supervisor")["accounts"]
    assert changed["roles"] == ["supervisor"]
    link = ("link", "li.wei", "--issuer", "https://id.example", "--subject", "1")
    assert "Linked" in run(desk, accounts, *link)
    assert run_json(desk, accounts, "reset-password", "li.wei", "--passkeys")["enrolment_token"]
    (disabled,) = run_json(desk, accounts, "disable", "li.wei")["accounts"]
    assert disabled["disabled_at"]
    (enabled,) = run_json(desk, accounts, "enable", "li.wei")["accounts"]
    assert enabled["disabled_at"] is None
    assert run_json(desk, accounts, "end-sessions", "li.wei")["ended"] == 0
    assert "0" in run(desk, accounts, "end-sessions", "li.wei")
    assert "li.wei" in run(desk, accounts, "list", "--operator", "cn-mobile")
    with pytest.raises(ShimingError) as refused:
        run(desk, accounts, "disable", "chen")
    assert refused.value.code == "ROLES_LAST_ADMINISTRATOR"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "li.wei", "--role", "king", "--person", "E-1"), "ROLE_UNKNOWN"),
        (("create", "1", "--role", "clerk", "--person", "E-1"), "USER_NAME_FORMAT"),
        (("create", "li.wei", "--role", "clerk", "--person", "!"), "PERSON_NUMBER_FORMAT"),
        (("create", "li.wei", "--role", "clerk", "--person", "E-1", "--operator", "Ü"), "OPERATOR_FORMAT"),
        (
            ("create", "li.wei", "--role", "auditor", "--role", "clerk", "--person", "E-1"),
            "ROLES_AUDITOR_ALONE",
        ),
        (("disable", "nobody"), "ACCOUNT_UNKNOWN"),
    ],
)
def test_what_is_refused(sqlite_engine: Engine, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(ShimingError) as refused:
        run(a_desk(sqlite_engine), accounts, *words)
    assert refused.value.code == code


def test_a_client_through_its_life(database: Engine) -> None:
    desk = a_desk(database)
    words = ("create", "till", "--scope", "sessions.create", "--operator", "cn-mobile")
    created = run_json(desk, clients, *words)
    assert created["client_secret"] not in desk.everything_stored()
    assert "shown this once" in run(desk, clients, *words)
    (disabled,) = run_json(desk, clients, "disable", created["client_id"])["clients"]
    assert disabled["disabled_at"]
    assert len(run_json(desk, clients, "list")["clients"]) == 2
    assert created["client_id"] in run(desk, clients, "list")
    with pytest.raises(ShimingError) as refused:
        run(desk, clients, "disable", "MCH-0000")
    assert refused.value.code == "CLIENT_UNKNOWN"


def test_a_client_that_signs_gets_no_secret(sqlite_engine: Engine, tmp_path: Path) -> None:
    desk, file = a_desk(sqlite_engine), tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}))
    words = ("create", "till", "--scope", "sessions.create", "--public-keys", str(file))
    assert run_json(desk, clients, *words)["client_secret"] is None
    assert "secret" not in run(desk, clients, *words)
    for content in (b"\xff", b"{}"):
        file.write_bytes(content)
        with pytest.raises(ShimingError) as refused:
            run(desk, clients, *words)
        assert refused.value.code == "CLIENT_KEYS_INVALID"
    file.unlink()
    with pytest.raises(ShimingError):
        run(desk, clients, *words)


def test_an_empty_list_is_a_list(sqlite_engine: Engine) -> None:
    assert run_json(a_desk(sqlite_engine), clients, "list") == {"clients": []}
    assert "reference" in run(a_desk(sqlite_engine), accounts, "list")


def test_staff_act_at_a_terminal_by_password(database: Engine) -> None:
    desk = a_desk(database)
    gatekeeper = HttpGatekeeper(desk.gatekeeper, cookies_secure=False)
    account = desk.account()
    desk.enrolled(account)
    caller = gatekeeper.sign_in_staff("li.wei", PASSWORD)
    assert (caller.reference, caller.kind, caller.person_key) == (
        account.reference,
        "staff",
        account.person_key,
    )
    assert gatekeeper.allow(caller, MayReadOwnAccount())
    assert not gatekeeper.allow(caller, MayManageAccounts())
    assert not gatekeeper.allow(Caller(caller.reference, caller.person_key, "staff"), MayReadOwnAccount())
    assert "login.succeeded" in desk.leaf_kinds()
    with pytest.raises(ShimingError) as wrong:
        gatekeeper.sign_in_staff("li.wei", "wrong password")
    assert wrong.value.code == "SIGN_IN_FAILED"
    desk.enrolled(desk.account("chen", Role.ADMINISTRATOR))
    with pytest.raises(ShimingError) as weak:
        gatekeeper.sign_in_staff("chen", PASSWORD)
    assert weak.value.code == "PASSKEY_REQUIRED"
