"""BSS call back: POST /v1/bss/{operator}/callbacks, TMF641 ServiceOrderStateChangeEvent, signed."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.engine import Engine

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.http.asking import Unauthenticated, open_to_all
from shiming.infrastructure.http.problems import problem_responses
from shiming.registrations.api.provisioning_schemas import OPERATOR, CallbackTaken
from shiming.registrations.use_cases.bss_callbacks import is_authentic, take_callback
from shiming.registrations.use_cases.bss_endpoints import callback_secrets
from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
from shiming.vocabulary.errors import Text

router = APIRouter(prefix="/v1/bss", tags=["provisioning"])


class CallbackPlatform(Protocol):
    """What this route needs of the wired platform."""

    engine: Engine
    clock: Clock
    keys: KeyProvider
    provisioning: ProvisioningTools


@router.post(
    "/{operator}/callbacks",
    responses=problem_responses(400, 401, 404),
    dependencies=[open_to_all("a BSS is known by the signature of its callback")],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object", "title": "ServiceOrderStateChangeEvent"}}
            },
        }
    },
)
async def take(
    request: Request,
    operator: Annotated[str, Path(pattern=OPERATOR, description="Code of the operator.")],
) -> CallbackTaken:
    """Take up the state of a service order; a repeat, or one that comes late, changes nothing."""
    body = await request.body()
    return await run_in_threadpool(_take, request, operator, body)


def _take(request: Request, operator: str, body: bytes) -> CallbackTaken:
    platform: CallbackPlatform = request.app.state.platform
    now = platform.clock.now()
    with reading(platform.engine) as connection:
        secrets = callback_secrets(connection, platform.keys, operator, now=now)
    if not is_authentic(secrets, request.headers, body, now=now):
        raise Unauthenticated(
            "CALLBACK_SIGNATURE_INVALID",
            Text(zh="回调签名无效。", en="The signature of this callback does not hold."),
        )
    order = transact(
        platform.engine,
        lambda connection: take_callback(platform.provisioning, connection, operator, body, now=now),
    )
    return CallbackTaken(order=order.order_id, state=order.state)
