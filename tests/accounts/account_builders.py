"""An accounts desk on a real database and the real ledger, with a clock that a test moves."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shiming.accounts.connectors.openid_provider import OpenIdProvider
from shiming.accounts.connectors.passwords import Argon2Passwords
from shiming.accounts.model import Account, Client, Role
from shiming.accounts.store import tables
from shiming.accounts.use_cases import accounts as account_use_cases
from shiming.accounts.use_cases import clients as client_use_cases
from shiming.accounts.use_cases.gatekeeper import Gatekeeper
from shiming.accounts.use_cases.password_sign_in import enrol_password
from shiming.accounts.use_cases.sessions import SignedIn
from shiming.accounts.use_cases.token_keys import TokenKeys
from shiming.accounts.use_cases.tokens import TokenIssued, TokenRequest, issue_token
from shiming.accounts.use_cases.tools import AccountSettings, AccountTools
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.privacy.store.ledger import ledger_leaves
from shiming.privacy.use_cases import ledger

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
KEYS = InMemoryKeys({use: {"k1": bytes([number]) * 32} for number, use in enumerate(KeyUse)})
BY = account_use_cases.Actor("ACC-TEST", "somebody else")


@dataclass
class MovingClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def forward(self, **time: float) -> None:
        self.at += timedelta(**time)


@dataclass
class Desk:
    engine: Engine
    clock: MovingClock
    tools: AccountTools
    people: int = 0
    token_keys: TokenKeys = field(init=False)
    gatekeeper: Gatekeeper = field(init=False)

    def __post_init__(self) -> None:
        self.token_keys = TokenKeys(self.tools, self.engine)
        self.gatekeeper = Gatekeeper(self.tools, self.engine, self.token_keys)

    def account(
        self,
        user_name: str = "li.wei",
        *roles: Role,
        person: str | None = None,
        operator: str | None = None,
    ) -> Account:
        self.people += 1
        wanted = account_use_cases.NewAccount(
            user_name, person or f"E-{self.people:05d}", frozenset(roles or {Role.CLERK}), operator
        )
        with unit_of_work(self.engine) as connection:
            return account_use_cases.create_account(self.tools, connection, wanted, by=BY)

    def invitation(self, account: Account) -> str:
        with unit_of_work(self.engine) as connection:
            return account_use_cases.invite(self.tools, connection, account, by=BY)

    def enrolled(self, account: Account, password: str = PASSWORD) -> SignedIn:
        found = enrol_password(self.tools, self.engine, token=self.invitation(account), password=password)
        assert isinstance(found, SignedIn)
        return found

    def client(self, *scopes: str, operator: str | None = None) -> tuple[Client, str]:
        wanted = client_use_cases.NewClient("till", frozenset(scopes or {"sessions.create"}), operator)
        with unit_of_work(self.engine) as connection:
            client = client_use_cases.create_client(self.tools, connection, wanted, by=BY)
            return client, client_use_cases.new_client_secret(self.tools, connection, client, by=BY)

    def token(self, client: Client, secret: str, scope: str | None = None) -> str:
        request = TokenRequest("client_credentials", scope, client_id=client.reference, client_secret=secret)
        issued = issue_token(self.tools, self.engine, self.token_keys, request)
        assert isinstance(issued, TokenIssued)
        return issued.access_token

    def leaves(self) -> list[dict[str, Any]]:
        """The ledger's leaves in the order of their lanes."""
        with reading(self.engine) as connection:
            rows = connection.execute(sa.select(ledger_leaves.c.leaf)).scalars().all()
        return sorted((json.loads(row) for row in rows), key=lambda leaf: (leaf["lane"], leaf["sequence"]))

    def leaf_kinds(self) -> list[str]:
        return [leaf["kind"] for leaf in self.leaves()]

    def everything_stored(self) -> str:
        """Every value of every accounts table and of the ledger, as text."""
        names = [table for table in vars(tables).values() if isinstance(table, sa.Table)]
        with reading(self.engine) as connection:
            return repr([connection.execute(sa.select(t)).all() for t in (*names, ledger_leaves)])


def a_desk(
    engine: Engine, settings: AccountSettings | None = None, provider: OpenIdProvider | None = None
) -> Desk:
    clock = MovingClock()

    def record(connection: Connection, **leaf: Any) -> object:
        return ledger.record(connection, KEYS, **leaf)

    tools = AccountTools(
        record=record,
        keys=KEYS,
        clock=clock,
        settings=settings or AccountSettings(),
        passwords=Argon2Passwords(memory_kib=64, passes=1),
        provider=provider,
    )
    return Desk(engine, clock, tools)
