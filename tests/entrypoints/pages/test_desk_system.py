"""The network, jobs, webhooks, accounts and clients at the desk; over real HTTP, without script."""

import re
from dataclasses import replace
from datetime import timedelta

from shiming.infrastructure.database import reading
from shiming.infrastructure.job_queue import dead_letters
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation
from shiming.registrations.store import reconciling
from shiming.registrations.use_cases.service_orders import order_line
from tests.entrypoints.pages.desk_builders import ONE
from tests.entrypoints.pages.desk_site import Desk, leaves, version_of


def test_what_differs_from_the_network_is_shown_with_how_to_repair_it(desk: Desk) -> None:
    platform, line = desk.world.platform, desk.world.lines[0]
    assert "Nothing was compared yet." in desk.get("other", "/desk/drift").text
    mine = Reconciliation("REC-ONE", ONE, desk.world.now, repair=False, stop_unknown=False)
    drifts = (
        Drift(line, DriftKind.STATUS, "active", "two_way_stopped"),
        Drift("svc-unknown", DriftKind.UNREGISTERED, None, "active"),
    )
    with platform.begin() as connection:
        reconciling.add_reconciliation(connection, replace(mine, reconciliation_id="REC-OLD"))
        newer = replace(mine, started_at=desk.world.now + timedelta(seconds=1))
        reconciling.add_reconciliation(connection, newer)
        reconciling.add_drifts(connection, "REC-ONE", drifts)
        found = {DriftKind.STATUS.value: 1, DriftKind.UNREGISTERED.value: 1}
        done = replace(newer, finished_at=desk.world.now, lines=9, services=10, found=found)
        reconciling.finish_reconciliation(connection, done)
    page = desk.get("supervisor", "/desk/drift").text
    assert f'href="/desk/lines/{line}"' in page
    assert "nobody registered it" in page
    assert "stopped both ways" in page
    assert "two_way_stopped" not in page
    assert f"shiming lines reconcile --operator {ONE} --repair" in page
    assert "--stop-unknown" in page
    assert "of=REC-OLD" in page
    assert "svc-unknown" not in desk.get("supervisor", "/desk/drift?of=REC-OLD").text
    assert "svc-unknown" not in desk.get("supervisor", "/desk/drift?kind=status_differs").text
    assert desk.get("other", "/desk/drift?of=REC-ONE").status_code == 404, "of another operator"
    assert desk.get("supervisor", "/desk/drift?as=csv").text.count("\n") == 3
    assert desk.get("auditor", "/desk/drift").status_code == 403


def test_an_order_that_nobody_takes_is_confirmed_by_hand(desk: Desk) -> None:
    platform = desk.world.platform
    with platform.begin() as connection:
        order = order_line(platform.provisioning, connection, desk.world.lines[1], now=desk.world.now)
    assert order
    path = f"/desk/service-orders/{order.order_id}"
    assert order.order_id in desk.get("supervisor", "/desk/service-orders").text
    assert desk.get("other", path).status_code == 404
    assert desk.post("supervisor", f"{path}/confirmation", reference="CALL-9").status_code == 422
    assert desk.post("compliance", f"{path}/confirmation", reference="CALL-9", sure="true").status_code == 403
    done = desk.post("supervisor", f"{path}/confirmation", reference="CALL-9", sure="true")
    assert (done.status_code, done.headers.get("location")) == (303, "/desk/service-orders?said=confirmed")
    assert desk.post("supervisor", f"{path}/confirmation", reference="CALL-9", sure="true").status_code == 409
    assert desk.post("administrator", f"{path}/retry").status_code == 409, "it has not failed"


def test_a_dead_letter_is_discarded_with_a_reason_that_the_ledger_keeps(desk: Desk) -> None:
    path = f"/desk/jobs/{desk.world.job}"
    page = desk.get("administrator", path).text
    assert "DOWN" in page
    assert "=EVD-1" in page
    assert desk.post("administrator", f"{path}/discard", why="obsolete").status_code == 422
    assert desk.post("supervisor", f"{path}/discard", why="obsolete", sure="true").status_code == 403
    done = desk.post("administrator", f"{path}/discard", why="obsolete", sure="true")
    assert done.headers["location"] == "/desk/jobs?said=discarded"
    assert desk.get("administrator", path).status_code == 404
    assert leaves(desk, "job.discarded") == 1
    with reading(desk.world.platform.engine) as connection:
        waiting = dead_letters.list_jobs(connection, kind="x.wait")[0]
    answer = desk.post("administrator", f"/desk/jobs/{waiting.job_id}/retry")
    assert answer.status_code == 409
    assert leaves(desk, "job.retried") == 0, "what was refused leaves no leaf"


def test_a_webhook_is_disabled_enabled_and_replayed(desk: Desk) -> None:
    path = f"/desk/webhooks/{desk.world.webhook}"
    assert desk.post("administrator-one", f"{path}/disable").headers["location"] == f"{path}?said=disabled"
    assert "disabled" in desk.get("administrator-one", path).text
    assert desk.post("administrator-one", f"{path}/enable").status_code == 303
    nothing = desk.post("administrator-one", f"{path}/replay")
    assert nothing.status_code == 409
    assert desk.post("administrator-one", f"{path}/replay", since="2026-01-01T00:00").status_code == 303
    assert desk.post("supervisor", f"{path}/disable").status_code == 403


def test_an_invitation_is_shown_once(desk: Desk) -> None:
    wanted = {"user_name": "new.one", "person_number": "number 7", "roles": "clerk", "operator": ONE}
    made = desk.post("administrator", "/desk/accounts/new", **wanted)
    assert made.status_code == 200
    found = re.search(r'class="token"[^>]*>([^<]{20,})<', made.text)
    assert found
    assert made.headers["cache-control"] == "no-store"
    listed = desk.get("administrator", "/desk/accounts?q=new.one").text
    assert "new.one" in listed
    assert found[1] not in listed
    assert desk.post("administrator", "/desk/accounts/new", **wanted).status_code == 409, "the name is taken"
    bad = desk.post("administrator", "/desk/accounts/new", user_name="X", person_number="1")
    assert (bad.status_code, 'id="user_name-mistake"' in bad.text) == (422, True)


def test_roles_are_changed_by_somebody_else_only(desk: Desk) -> None:
    clerk = desk.staff["clerk"].account.reference
    own = desk.staff["administrator"].account.reference
    assert (
        desk.post("administrator", f"/desk/accounts/{own}/roles", roles="auditor", version="1").status_code
        == 409
    )
    path = f"/desk/accounts/{clerk}"
    version = version_of(desk.get("administrator", path).text)
    done = desk.post("administrator", f"{path}/roles", roles=["clerk"], version=version)
    assert done.headers["location"] == f"{path}?said=roles"
    assert desk.post("administrator", f"{path}/disable").status_code == 422, "not meant"
    assert desk.get("clerk", path).status_code == 403


def test_a_disabled_account_is_enabled_again_and_sessions_end_without_anything_else(desk: Desk) -> None:
    wanted = {"user_name": "back.again", "person_number": "E 90210", "roles": "clerk"}
    desk.post("administrator", "/desk/accounts/new", **wanted)
    listed = desk.get("administrator", "/desk/accounts?q=back.again").text
    found = re.search(r"/desk/accounts/(ACC-[0-9A-Z-]+)", listed)
    assert found is not None
    path = f"/desk/accounts/{found[1]}"
    ended = desk.post("administrator", f"{path}/end-sessions")
    assert (ended.status_code, ended.headers["location"]) == (303, f"{path}?said=sessions_ended")
    assert "Enable again" not in desk.get("administrator", path).text
    desk.post("administrator", f"{path}/disable", sure="true")
    assert "Enable again" in desk.get("administrator", path).text
    assert desk.post("administrator", f"{path}/enable").status_code == 422, "not meant"
    assert desk.post("clerk", f"{path}/enable", sure="true").status_code == 403
    assert desk.post("administrator", f"{path}/enable", sure="true").status_code == 303
    assert "Sign out everywhere" in desk.get("administrator", path).text


def test_an_operators_administrator_knows_of_no_other_accounts(desk: Desk) -> None:
    other = desk.staff["other"].account.reference
    assert desk.get("administrator-one", f"/desk/accounts/{other}").status_code == 404
    assert "administrator-one" in desk.get("administrator-one", "/desk/accounts").text
    text = desk.get("administrator-one", "/desk/accounts").text
    assert not re.search(r">\s*other\s*<", text)


def test_the_secret_of_a_client_is_shown_once(desk: Desk) -> None:
    made = desk.post("administrator", "/desk/clients/new", name="reports", scopes="registrations.read")
    assert 'class="token"' in made.text
    assert (
        desk.post("administrator", "/desk/clients/new", name="x", scopes="accounts.manage").status_code == 409
    )
    assert desk.post("administrator", "/desk/clients/new", name="x").status_code == 422
