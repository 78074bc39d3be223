import threading

import pytest
from sqlalchemy.engine import Engine

from shiming.accounts.model import Account, Role
from shiming.accounts.ports import Fact
from shiming.accounts.use_cases.accounts import (
    Actor,
    change_roles,
    disable_account,
    enable_account,
    end_sessions,
    get_account,
    person_key_of,
    reset_credentials,
)
from shiming.accounts.use_cases.tools import AccountSettings
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.vocabulary.errors import BadInput
from tests.accounts.account_builders import BY, Desk, a_desk


def code_of(error: pytest.ExceptionInfo[BadInput]) -> str:
    return error.value.code


def test_two_accounts_of_one_person_are_one_person(database: Engine) -> None:
    desk = a_desk(database)
    clerk = desk.account("li.wei", Role.CLERK, person="E-00017", operator="cn-mobile")
    other = desk.account("li.wei.2", Role.SUPERVISOR, person="e 00017")
    assert clerk.person_key == other.person_key
    assert clerk.person_key != desk.account("zhang.san").person_key
    assert "00017" not in clerk.person_key
    assert person_key_of(desk.tools, "E00017") == clerk.person_key


def test_the_roles_of_all_accounts_of_a_person_count(database: Engine) -> None:
    desk = a_desk(database)
    auditor = desk.account("wang.wu", Role.AUDITOR, person="E-7")
    with pytest.raises(BadInput) as refused:
        desk.account("wang.wu.2", Role.CLERK, person="E-7")
    assert code_of(refused) == "ROLES_AUDITOR_ALONE"
    with unit_of_work(database) as connection:
        disable_account(desk.tools, connection, auditor, by=BY)
    clerk = desk.account("wang.wu.2", Role.CLERK, person="E-7")
    with unit_of_work(database) as connection, pytest.raises(BadInput) as refused:
        change_roles(desk.tools, connection, clerk, {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}, by=BY)
    assert code_of(refused) == "ROLES_ADMINISTRATOR_APART"


def test_nobody_changes_their_own_rights_even_through_another_account(database: Engine) -> None:
    desk = a_desk(database)
    desk.account("chen", Role.ADMINISTRATOR, person="E-1")
    clerk = desk.account("chen.2", Role.CLERK, person="E-1")
    by = Actor("ACC-chen", clerk.person_key)
    with unit_of_work(database) as connection:
        for change in (
            lambda: change_roles(desk.tools, connection, clerk, {Role.SUPERVISOR}, by=by),
            lambda: disable_account(desk.tools, connection, clerk, by=by),
            lambda: reset_credentials(desk.tools, connection, clerk, by=by),
        ):
            with pytest.raises(BadInput) as refused:
                change()
            assert code_of(refused) == "ROLES_OWN"


def test_a_change_of_what_has_changed_is_refused(database: Engine) -> None:
    desk = a_desk(database)
    seen = desk.account()
    with unit_of_work(database) as connection:
        changed = change_roles(desk.tools, connection, seen, {Role.SUPERVISOR}, by=BY)
    assert changed.version == 2
    with unit_of_work(database) as connection, pytest.raises(BadInput) as refused:
        change_roles(desk.tools, connection, seen, {Role.CLERK}, by=BY)
    assert code_of(refused) == "VERSION_CHANGED"
    with reading(database) as connection:
        assert get_account(connection, seen.reference).roles == {Role.SUPERVISOR}


def test_disabling_twice_changes_nothing(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    with unit_of_work(sqlite_engine) as connection:
        first = disable_account(desk.tools, connection, account, by=BY)
        assert disable_account(desk.tools, connection, first, by=BY) == first
    assert desk.leaf_kinds() == ["account.created", "account.disabled"]


def test_an_account_is_enabled_again_only_where_its_roles_still_go_with_the_persons_others(
    database: Engine,
) -> None:
    desk = a_desk(database)
    auditor = desk.account("wang.wu", Role.AUDITOR, person="E-7")
    with unit_of_work(database) as connection:
        auditor = disable_account(desk.tools, connection, auditor, by=BY)
    clerk = desk.account("wang.wu.2", Role.CLERK, person="E-7")
    with unit_of_work(database) as connection, pytest.raises(BadInput) as refused:
        enable_account(desk.tools, connection, auditor, by=BY)
    assert code_of(refused) == "ROLES_AUDITOR_ALONE"
    with unit_of_work(database) as connection, pytest.raises(BadInput) as refused:
        enable_account(desk.tools, connection, auditor, by=Actor("ACC-x", clerk.person_key))
    with unit_of_work(database) as connection:
        disable_account(desk.tools, connection, clerk, by=BY)
        enabled = enable_account(desk.tools, connection, auditor, by=BY)
        assert enable_account(desk.tools, connection, enabled, by=BY) == enabled
    with reading(database) as connection:
        assert get_account(connection, auditor.reference).disabled_at is None
    assert desk.leaf_kinds().count("account.enabled") == 1


def test_ending_sessions_twice_is_one_leaf(sqlite_engine: Engine) -> None:
    desk = a_desk(sqlite_engine)
    account = desk.account()
    with unit_of_work(sqlite_engine) as connection:
        assert end_sessions(desk.tools, connection, account, by=BY) == 0
    assert "account.sessions_ended" not in desk.leaf_kinds()


def test_two_administrators_cannot_remove_each_other_at_once(database: Engine) -> None:
    desk = a_desk(database)
    both = [desk.account(name, Role.ADMINISTRATOR) for name in ("chen", "zhao")]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def remove(account: Account) -> None:
        start.wait()
        try:
            transact(database, lambda connection: disable_account(desk.tools, connection, account, by=BY))
            outcomes.append("done")
        except BadInput as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=remove, args=(account,)) for account in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["ROLES_LAST_ADMINISTRATOR", "done"]


def test_no_name_and_no_person_reaches_the_ledger(sqlite_engine: Engine) -> None:
    facts: list[Fact] = []
    desk = a_desk(sqlite_engine)
    account = desk.account("li.wei", person="11010519491231002X")
    desk.enrolled(account)
    stored = desk.leaves()
    for leaf in stored:
        facts += leaf["facts"].values()
    assert account.reference in facts
    assert account.person_key not in facts
    assert "li.wei" not in facts


@pytest.mark.parametrize(
    "environment",
    [
        {"SHIMING_PUBLIC_URL": "http://shiming.example"},
        {"SHIMING_PUBLIC_URL": "ftp://shiming.example"},
        {"SHIMING_PUBLIC_URL": "https://shiming.example?x=1"},
        {"SHIMING_PASSKEY_REQUIRED_ROLES": "king"},
        {"SHIMING_OIDC_ISSUER": "https://id.example"},
    ],
)
def test_settings_that_cannot_be_meant(environment: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        AccountSettings.from_environment(environment)
    assert code_of(refused) == "SETTING_INVALID"


def test_settings() -> None:
    settings = AccountSettings.from_environment(
        {
            "SHIMING_PUBLIC_URL": "https://shiming.example:8443/",
            "SHIMING_PASSKEY_REQUIRED_ROLES": "clerk, auditor",
            "SHIMING_OIDC_ISSUER": "https://id.example",
            "SHIMING_OIDC_CLIENT_ID": "shiming",
            "SHIMING_OIDC_CLIENT_SECRET": "never shown",
        }
    )
    assert settings.issuer == "https://shiming.example:8443"
    assert settings.relying_party.domain == "shiming.example"
    assert settings.relying_party.origins == ("https://shiming.example:8443",)
    assert settings.cookies_secure
    assert settings.passkey_required == {Role.CLERK, Role.AUDITOR}
    assert "never shown" not in repr(settings)
    plain = AccountSettings.from_environment({"SHIMING_PASSKEY_REQUIRED_ROLES": "none"})
    assert not plain.passkey_required
    assert not plain.cookies_secure
    assert Role.ADMINISTRATOR in AccountSettings.from_environment({}).passkey_required


def test_a_desk_records_in_the_real_ledger(sqlite_engine: Engine) -> None:
    desk: Desk = a_desk(sqlite_engine)
    desk.account()
    (leaf,) = desk.leaves()
    assert leaf["kind"] == "account.created"
    assert leaf["facts"]["by"] == BY.reference
