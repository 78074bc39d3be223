"""Who calls a route and what they may do: every route asks a typed question or says why it is open to all.

    @router.get("/v1/ledger/checkpoint")
    def show_checkpoint(asking: Annotated[Asking, asked(MayReadLedger)]) -> Checkpoint:
        asking.allow(MayReadLedger())

    @router.get("/healthz", dependencies=[open_to_all("a load balancer has no credentials")])
    def health() -> Health: ...

The platform's gatekeeper (implemented by `accounts`) says who the caller is and answers the questions. A
route that declares questions and answers with success without having put one of them is stopped (see
`unasked` and `entrypoints.http_api`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from shiming.infrastructure.http.rate_limits import take_token_of_caller
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import Permission

CallerKind = Literal["staff", "client"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is signed in. `person_key` is the same for every account of one human being.

    `operator` is the operator that the caller works for; None: not bound to one.
    """

    reference: str
    person_key: str
    kind: CallerKind
    operator: str | None = None


class Gatekeeper(Protocol):
    """Knows callers by their credentials and answers questions; `request.app.state.platform.gatekeeper`."""

    def caller(self, request: Request) -> Caller | None:
        """Return who calls; None without credentials; raise `Unauthenticated` for credentials that fail."""
        ...

    def known_caller(self, request: Request) -> Caller | None:
        """Return who calls if that is known without reading the database; None: ask `caller`."""
        ...

    def allow(self, caller: Caller, question: Permission) -> bool:
        """Say whether this caller may do this."""
        ...


class Unauthenticated(BadInput):
    """Nobody is signed in, or the credentials do not hold: 401."""

    def __init__(self, code: str = "UNAUTHENTICATED", text: Text | None = None) -> None:
        super().__init__(
            code,
            text or Text(zh="请先登录或提供访问令牌。", en="Sign in, or send an access token, first."),
            Text(
                zh="请用 POST /oauth/token 取得令牌，并放在 Authorization: Bearer 中。",
                en="Get a token by POST /oauth/token and send it as Authorization: Bearer.",
            ),
        )


class Forbidden(BadInput):
    """The caller is known and may not do this: 403."""

    def __init__(self, question: str, code: str = "FORBIDDEN") -> None:
        super().__init__(
            code,
            Text(zh="您没有执行此操作的权限。", en="You may not do this."),
            Text(zh="请联系管理员授权。", en="Ask an administrator for the permission."),
            {"permission": question},
        )


@dataclass(slots=True)
class Asking:
    """The questions of one request; `allow` is called with each that the request turns out to need."""

    caller: Caller
    gatekeeper: Gatekeeper = field(repr=False)
    declared: tuple[type[Permission], ...]
    asked: bool = False

    def allow(self, question: Permission) -> None:
        """Return when the caller may; raise `Forbidden` when not."""
        if type(question) not in self.declared:
            message = f"this route does not declare {type(question).__name__}"
            raise TypeError(message)
        self.asked = True
        if not self.gatekeeper.allow(self.caller, question):
            raise Forbidden(question.code)

    def may(self, question: Permission) -> bool:
        """Say whether the caller may, for routes that show more to some."""
        try:
            self.allow(question)
        except Forbidden:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Asked:
    """The dependency of a route that needs a signed-in caller."""

    questions: tuple[type[Permission], ...]

    async def __call__(self, request: Request) -> Asking:
        """Find the caller: at once for a token seen a moment ago, else by the database, in a thread."""
        gatekeeper: Gatekeeper = request.app.state.platform.gatekeeper
        caller = gatekeeper.known_caller(request) or await run_in_threadpool(gatekeeper.caller, request)
        if caller is None:
            raise Unauthenticated
        take_token_of_caller(request, caller.reference)
        asking = Asking(caller, gatekeeper, self.questions)
        request.state.asking = asking
        request.state.caller = caller.reference  # for the request log
        return asking


@dataclass(frozen=True, slots=True)
class OpenToAll:
    """The dependency of a route that anybody may call."""

    why: str

    async def __call__(self) -> None:
        """Let everybody in."""


def asked(*questions: type[Permission]) -> Any:
    """Declare what a route asks; see the top of this module."""
    if not questions:
        message = "a route asks at least one question, or is open_to_all"
        raise TypeError(message)
    return Depends(Asked(questions))


def open_to_all(why: str) -> Any:
    """Declare that a route needs no caller, and why: `dependencies=[open_to_all("...")]`."""
    return Depends(OpenToAll(why))


def unasked(request: Request) -> bool:
    """Say whether a route with questions has put none of them so far."""
    asking: Asking | None = getattr(request.state, "asking", None)
    return asking is not None and not asking.asked


def gates_of(dependant: Any) -> tuple[Asked | OpenToAll, ...]:
    """Return what a route declares, its dependencies' dependencies included."""
    own: Callable[..., object] | None = dependant.call
    found = (own,) if isinstance(own, Asked | OpenToAll) else ()
    return (*found, *(gate for each in dependant.dependencies for gate in gates_of(each)))
