"""Who looks at a page that is open to all: a signed-in member of staff sees their own menu there too."""

from fastapi import Request

from shiming.accounts.asking import KnownCaller
from shiming.accounts.permissions import MayReadOwnAccount
from shiming.infrastructure.http.asking import Asking
from shiming.vocabulary.errors import BadInput


def visitor(request: Request) -> Asking | None:
    """Return the questions of whoever is signed in; None for a stranger, and for a session that is over."""
    gatekeeper = request.app.state.platform.gatekeeper
    try:
        caller = gatekeeper.caller(request)
    except BadInput:
        return None
    if caller is None:
        return None
    asking = Asking(caller, gatekeeper, (MayReadOwnAccount,))
    if not asking.may(MayReadOwnAccount()):
        return None
    request.state.asking = asking
    request.state.caller = caller.reference
    return asking


def must_enrol(asking: Asking) -> bool:
    """Say whether this session may do nothing but enrol a passkey."""
    caller = asking.caller
    return (
        isinstance(caller, KnownCaller)
        and caller.principal is not None
        and caller.principal.must_enrol_passkey
    )
