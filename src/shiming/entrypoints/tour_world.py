"""The world of the tour: an installation in a folder that will be deleted, staff, numbers, terms, people."""

import json
import secrets
import shutil
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shiming.entrypoints.demo_processes import SPECIMENS
from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from shiming.entrypoints.wiring import Platform

OPERATOR, NUMBER = "cn-mobile", "+8613800138000"
OPERATOR_NAMES = "cn-mobile=示例移动 Example Mobile"
PASSWORD_SYLLABLES = 8  # of 80 each: 50 bits, far more than the lock-out lets anybody guess in an afternoon
_CONSONANTS, _VOWELS = "bdfghjkmnprstvwz", "aeiou"
_KEPT_SETTINGS = frozenset({"SHIMING_LANGUAGE", "SHIMING_MODELS"})  # of the visitor's own environment


@dataclass(frozen=True, slots=True)
class TourAccount:
    """Somebody whom the visitor may be."""

    user_name: str
    roles: tuple[str, ...]
    operator: str | None
    what: Text  # they do


ACCOUNTS = (
    TourAccount(
        "clerk",
        ("clerk",),
        OPERATOR,
        Text(zh="营业员：在柜台办理入网", en="registers customers at the counter"),
    ),
    TourAccount(
        "reviewer",
        ("supervisor", "compliance_officer"),
        OPERATOR,
        Text(
            zh="主管：人工复核、号码池、企业",
            en="looks where the machine is in doubt; numbers, companies",
        ),
    ),
    TourAccount(
        "second",
        ("supervisor",),
        OPERATOR,
        Text(zh="第二位复核员：复核须由两人分别进行", en="looks after the reviewer: it takes two people"),
    ),
    TourAccount(
        "admin",
        ("administrator",),
        None,
        Text(zh="管理员：账号、任务、系统", en="gives rights and runs the machine; sees no evidence"),
    ),
    TourAccount(
        "auditor",
        ("auditor",),
        None,
        Text(zh="审计员：核验账本", en="verifies the ledger, sees nothing else"),
    ),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """An account of this run with its password, which is shown once and stored as a hash."""

    account: TourAccount
    password: str = field(repr=False)


def tour_environment(environment: Mapping[str, str], folder: Path, url: str) -> dict[str, str]:
    """Return the settings of the tour; nothing of an installation that the visitor may have is taken over."""
    plain = {
        name: value
        for name, value in environment.items()
        if not name.startswith("SHIMING_") or name in _KEPT_SETTINGS
    }
    data = folder / "data"
    return plain | {
        "SHIMING_DATA": str(data),
        "SHIMING_DATABASE_URL": f"sqlite:///{data / 'shiming.db'}",
        "SHIMING_SANDBOX": "1",
        "SHIMING_SANDBOX_CHALLENGE": specimen_challenge(),
        "SHIMING_PUBLIC_URL": url,
        "SHIMING_PASSKEY_REQUIRED_ROLES": "none",
        "SHIMING_OPERATOR_NAMES": OPERATOR_NAMES,
    }


def specimen_challenge() -> str:
    """Return the challenge that the specimen clip was made for, as the setting has it."""
    demo = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
    return f"{','.join(demo['gestures'])}/{demo['digits']}"


def use_environment(present: MutableMapping[str, str], wanted: Mapping[str, str]) -> None:
    """Make this process, and those that it starts, see these variables and no others of ours."""
    for name in [name for name in present if name.startswith("SHIMING_")]:
        del present[name]
    present.update(wanted)


def copy_population(folder: Path) -> Path:
    """Put the pretended population where the visitor may join it; return its file."""
    target = folder / "population"
    shutil.copytree(SPECIMENS / "population", target)
    return target / "people.json"


def furnish(platform: "Platform") -> tuple[SignIn, ...]:
    """Create the database, accounts, a pool of ten thousand numbers and terms; return the sign-ins."""
    from shiming.entrypoints.demo_counter import fill_pool, publish_terms

    sign_ins = tuple(SignIn(account, new_password()) for account in ACCOUNTS)
    tokens = {}
    with platform.begin() as connection:
        fill_pool(platform, connection, OPERATOR, NUMBER)
        publish_terms(platform, connection, OPERATOR)
        for account in ACCOUNTS:
            tokens[account.user_name] = _invite(platform, connection, account)
    for sign_in in sign_ins:
        _choose_password(platform, tokens[sign_in.account.user_name], sign_in.password)
    return sign_ins


def new_password() -> str:
    """Return a password that is easily read and typed, such as `bafo-meru-hiza-dake`."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(PASSWORD_SYLLABLES)]
    return "-".join("".join(syllables[at : at + 2]) for at in range(0, PASSWORD_SYLLABLES, 2))


def _invite(platform: "Platform", connection: "Connection", account: TourAccount) -> str:
    from shiming.accounts.use_cases import accounts

    wanted = accounts.NewAccount(
        account.user_name, f"tour {account.user_name}", accounts.parse_roles(account.roles), account.operator
    )
    created = accounts.create_account(platform.accounts, connection, wanted, by=accounts.Actor())
    return accounts.invite(platform.accounts, connection, created, by=accounts.Actor())


def _choose_password(platform: "Platform", token: str, password: str) -> None:
    from shiming.accounts.use_cases.password_sign_in import SignInRefused, enrol_password

    chosen = enrol_password(platform.accounts, platform.engine, token=token, password=password)
    if isinstance(chosen, SignInRefused):
        raise chosen.problem()
