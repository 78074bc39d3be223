"""Machine clients: programs that call the API with scopes of their own; their secret is shown once."""

from collections.abc import Collection
from functools import partial
from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.accounts.account_api import OPERATOR, Reference, actor
from shiming.accounts.asking import platform_of
from shiming.accounts.model import Client
from shiming.accounts.permissions import MayManageClients
from shiming.accounts.rules.permission_table import CLIENT_SCOPES
from shiming.accounts.use_cases import clients as use_cases
from shiming.entrypoints.pages.account.permission_words import PERMISSION_WORDS
from shiming.entrypoints.pages.desk.desk_page import Shown, desk_page, table_page, tried
from shiming.entrypoints.pages.desk.managed import Managed, SureForm
from shiming.entrypoints.pages.desk.tables import Choice, Column, Table
from shiming.entrypoints.pages.forms import Filled, form
from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.http.asking import Asking, asked
from shiming.vocabulary.errors import Text

router = page_router()
Administrator = Annotated[Asking, asked(MayManageClients)]

_STATES = {"usable": Text(zh="可用", en="in use"), "disabled": Text(zh="已停用", en="disabled")}
_OTHERS = Text(zh="其他", en="Others")
_TONES = {"usable": "good", "disabled": "bad"}


def _state(client: Client) -> str:
    return "disabled" if client.disabled_at else "usable"


TABLE: Table[Client] = Table(
    "clients",
    Text(zh="程序账号", en="Machine clients"),
    (
        Column(
            "name",
            Text(zh="名称", en="Name"),
            lambda client: client.name,
            href=lambda client: f"/desk/clients/{client.reference}",
        ),
        Column("reference", Text(zh="编号", en="Reference"), lambda client: client.reference, look="code"),
        Column("scopes", Text(zh="权限数", en="Scopes"), lambda client: len(client.scopes), look="number"),
        Column(
            "state",
            Text(zh="状态", en="State"),
            lambda client: _STATES[_state(client)],
            look="state",
            tone=lambda client: _TONES[_state(client)],
        ),
        Column("operator", Text(zh="运营企业", en="Operator"), lambda client: client.operator),
        Column("created", Text(zh="创建时间", en="Created"), lambda client: client.created_at),
    ),
    filters=(Choice("state", Text(zh="状态", en="State"), _STATES, _state),),
    empty=Text(zh="没有程序账号。", en="There is no machine client."),
    order="name",
)


class ClientForm(BaseModel):
    """A new client."""

    model_config = ConfigDict(extra="ignore")
    name: Annotated[str, Field(max_length=80)]
    scopes: Annotated[list[str], Field(min_length=1)]
    operator: Annotated[str | None, Field(pattern=OPERATOR)] = None


def _in_groups(scopes: Collection[str]) -> list[tuple[Text, list[tuple[str, Text]]]]:
    """Return scopes with their words, by what they are about; one without words stands as it is."""
    known = {code for words in PERMISSION_WORDS.values() for code in words}
    groups = [
        (group, [(code, words) for code, words in named.items() if code in scopes])
        for group, named in PERMISSION_WORDS.items()
    ]
    rest = [(code, Text(zh=code, en=code)) for code in sorted(set(scopes) - known)]
    return [(group, found) for group, found in (*groups, (_OTHERS, rest)) if found]


def _facts(_asking: Asking, client: Client) -> dict[str, Any]:
    return {
        "client": client,
        "state": _STATES[_state(client)],
        "tone": _TONES[_state(client)],
        "groups": _in_groups(client.scopes),
    }


CLIENTS = Managed(
    "/desk/clients",
    "desk/client.html",
    MayManageClients,
    use_cases.get_client,
    use_cases.list_clients,
    _facts,
)


@router.get("/desk/clients")
def list_clients(request: Request, asking: Administrator) -> Response:
    """List clients."""
    return table_page(request, asking, "desk/clients.html", Shown(TABLE, CLIENTS.rows(request, asking)))


@router.get("/desk/clients/new")
def new_client(request: Request, asking: Administrator) -> Response:
    """Show the form of a new client."""
    asking.allow(MayManageClients(asking.caller.operator or ""))
    return _form(request, asking, {})


@router.post("/desk/clients/new")
def create_client(
    request: Request, asking: Administrator, wanted: Annotated[Filled[ClientForm], form(ClientForm)]
) -> Response:
    """Create a client; its secret is on the answer and nowhere else."""
    asking.allow(MayManageClients(asking.caller.operator or ""))
    chosen, platform = wanted.value, platform_of(request)
    if chosen is None:
        return _form(request, asking, wanted.again(), status=422)
    operator = chosen.operator or asking.caller.operator
    asking.allow(MayManageClients(operator or ""))
    made: list[tuple[Client, str]] = []

    def work() -> None:
        new = use_cases.NewClient(chosen.name, frozenset(chosen.scopes), operator)
        with unit_of_work(platform.engine) as connection:
            client = use_cases.create_client(platform.accounts, connection, new, by=actor(asking))
            secret = use_cases.new_client_secret(platform.accounts, connection, client, by=actor(asking))
            made.append((client, secret))

    if refused := tried(work):
        return _form(request, asking, {"refused": refused, "entered": wanted.entered}, status=409)
    return _secret(request, asking, *made[0])


@router.get("/desk/clients/{reference}")
def show_client(request: Request, reference: Reference, asking: Administrator) -> Response:
    """Show a client."""
    return CLIENTS.page(request, asking, CLIENTS.get(request, asking, reference))


@router.post("/desk/clients/{reference}/secret")
def new_secret(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[SureForm], form(SureForm)],
) -> Response:
    """Make a fresh secret; the one before is worthless."""
    platform = platform_of(request)

    def work(connection: Connection, client: Client) -> str:
        return use_cases.new_client_secret(platform.accounts, connection, client, by=actor(asking))

    return CLIENTS.act(request, asking, reference, wanted, work, then=partial(_secret, request, asking))


@router.post("/desk/clients/{reference}/disable")
def disable(
    request: Request,
    reference: Reference,
    asking: Administrator,
    wanted: Annotated[Filled[SureForm], form(SureForm)],
) -> Response:
    """Let a client get and use tokens no more."""
    platform = platform_of(request)

    def work(connection: Connection, client: Client) -> None:
        use_cases.disable_client(platform.accounts, connection, client, by=actor(asking))

    return CLIENTS.act(request, asking, reference, wanted, work, then="disabled")


def _secret(request: Request, asking: Asking, client: Client, secret: str) -> Response:
    answer = desk_page(request, asking, "desk/client_secret.html", {"client": client, "secret": secret})
    answer.headers["cache-control"] = "no-store"
    return answer


def _form(request: Request, asking: Asking, context: dict[str, Any], *, status: int = 200) -> Response:
    facts = {
        "groups": _in_groups(CLIENT_SCOPES),
        "refused": None,
        "own_operator": asking.caller.operator,
        **context,
    }
    return desk_page(request, asking, "desk/client_new.html", facts, status=status)
