"""Pictures of the staff desk with something in every list, and of each thing by itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from playwright.sync_api import Page

from shiming.accounts.model import DeviceKind, Role
from shiming.accounts.use_cases.accounts import Actor
from shiming.accounts.use_cases.capture_devices import NewDevice, enrol_device
from shiming.accounts.use_cases.clients import list_clients
from shiming.infrastructure.database import reading
from shiming.registrations.model.drift import Drift, DriftKind, Reconciliation
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.store import reconciling
from shiming.registrations.use_cases.service_orders import order_line
from tests.browser.live_world import OPERATOR
from tests.browser.review_cases import a_waiting_session, figures_of_a_quarter
from tests.entrypoints.pages.desk_builders import ONE, SUBJECT
from tools.screenshots_furnished import Stage

OFFICE = {
    "companies": "/desk/companies",
    "company-of-desk": "/desk/companies/{company}",
    "registration-reviews": "/desk/registration-reviews",
    "registration-review": "/desk/registration-reviews/{review}",
    "lines": "/desk/lines",
    "line": "/desk/lines/{line}",
    "disputes": "/desk/repudiations",
    "dispute": "/desk/repudiations/{dispute}",
    "transfers": "/desk/transfers",
    "transfer": "/desk/transfers/{case}",
    "service-orders": "/desk/service-orders",
    "service-order": "/desk/service-orders/{order}",
    "drift": "/desk/drift",
    "numbers": "/desk/numbers",
    "sims": "/desk/sims",
    "access-log": f"/desk/access-log?subject={SUBJECT}",
    "ledger": "/desk/ledger",
}
MACHINE = {
    "jobs": "/desk/jobs",
    "job": "/desk/jobs/{job}",
    "webhooks": "/desk/webhooks",
    "webhook": "/desk/webhooks/{webhook}",
    "accounts": "/desk/accounts",
    "account-of-desk": "/desk/accounts/{account}",
    "clients": "/desk/clients",
    "client": "/desk/clients/{client}",
    "devices": "/desk/devices",
    "device": "/desk/devices/{device}",
}
_MAKE_KEY = """async () => {
  const page = document.querySelector('script[src$="js/page.js"]').src;
  return (await import(page.replace("page.js", "device_key.js"))).makeKey();
}"""
_NAMES = count(1)


def walk_lists(stage: Stage) -> None:
    """Picture the lists and what is in them, the secrets that are shown once, and the verified ledger."""
    names = _put_more_in(stage)
    for who, pages in ((stage.furnished.office, OFFICE), (stage.furnished.machine, MACHINE)):
        for name, path in pages.items():
            stage.take(name, path.format(**names), who)
    _shown_once(stage)
    _verified(stage)
    _routes(stage)


def _put_more_in(stage: Stage) -> dict[str, str]:
    """Add what the desk's builder leaves out; return what the paths name."""
    desk, platform = stage.furnished.desk, stage.counter.platform
    page = stage.page(stage.furnished.machine)
    page.goto("/desk/devices/new")
    device = NewDevice("counter-5", DeviceKind.BROWSER, "People's Square", page.evaluate(_MAKE_KEY), ONE)
    page.context.close()
    _drift(stage)
    with platform.begin() as connection:
        enrolled = enrol_device(platform.accounts, connection, device, by=Actor())
        order = order_line(platform.provisioning, connection, desk.lines[1], now=desk.now)
    if order is None:
        raise SystemExit("no service order")
    with reading(platform.engine) as connection:
        (client,) = list_clients(connection, operator=ONE, limit=1)
    return {
        "company": desk.companies[0],
        "review": desk.review,
        "line": desk.lines[1],
        "dispute": desk.dispute,
        "case": desk.case,
        "order": order.order_id,
        "job": desk.job,
        "webhook": desk.webhook,
        "account": stage.furnished.office.account.reference,
        "client": client.reference,
        "device": enrolled.reference,
    }


def _drift(stage: Stage) -> None:
    desk = stage.furnished.desk
    begun = Reconciliation("REC-ONE", ONE, desk.now, repair=False, stop_unknown=False)
    drifts = (
        Drift(desk.lines[0], DriftKind.STATUS, LineStatus.ACTIVE.value, LineStatus.TWO_WAY_STOPPED.value),
        Drift("svc-unknown", DriftKind.UNREGISTERED, None, LineStatus.ACTIVE.value),
    )
    found = {DriftKind.STATUS.value: 1, DriftKind.UNREGISTERED.value: 1}
    with stage.counter.platform.begin() as connection:
        reconciling.add_reconciliation(connection, begun)
        reconciling.add_drifts(connection, begun.reconciliation_id, drifts)
        done = replace(begun, finished_at=desk.now + timedelta(seconds=1), lines=9, services=10, found=found)
        reconciling.finish_reconciliation(connection, done)


def _shown_once(stage: Stage) -> None:
    """Invite an account and make a client: what is shown once has no address."""
    page = stage.page(stage.furnished.machine)

    def invites() -> None:
        number = next(_NAMES)
        page.goto("/desk/accounts/new")
        page.locator("#user_name").fill(f"li.na{number}")
        page.locator("#person_number").fill(f"No. {number}")
        page.locator("#operator").fill(ONE)
        page.locator("input[name=roles]").first.check()
        _sends(page, "/desk/accounts/new")

    def makes_a_client() -> None:
        page.goto("/desk/clients/new")
        page.locator("#name").fill(f"shop front {next(_NAMES)}")
        page.locator("#operator").fill(ONE)
        page.locator("input[name=scopes]").first.check()
        _sends(page, "/desk/clients/new")

    stage.studio.take(page, "account-invited", again=invites)
    stage.studio.take(page, "client-secret", again=makes_a_client)
    page.context.close()


def _verified(stage: Stage) -> None:
    """Verify the ledger with script, in place, and without: then it is a page."""
    office = stage.furnished.office
    page = stage.page(office)

    def verifies() -> None:
        page.goto("/desk/ledger")
        page.locator("#verification button").click()
        page.locator("[data-result] .notice").wait_for()

    stage.studio.take(page, "ledger-verified", again=verifies)
    page.context.close()
    plain = stage.page(office, script=False)

    def verifies_without_script() -> None:
        plain.goto("/desk/ledger")
        plain.locator("#verification button").click()
        plain.wait_for_url("**/verification")

    stage.studio.take(plain, "ledger-verified-without-script", again=verifies_without_script)
    plain.context.close()


def _routes(stage: Stage) -> None:
    """Picture a decided review, and the figures of a quarter."""
    platform = stage.counter.platform
    figures_of_a_quarter(platform)
    staff = [stage.counter.signed_in(OPERATOR, Role.SUPERVISOR) for _ in range(2)]
    stage.take("routes", "/desk/routes?days=90", staff[0])
    waiting = a_waiting_session(platform)
    for who in staff:
        page = stage.page(who)
        page.goto(f"/desk/reviews/{waiting}")
        for key in ("y", "u"):
            page.keyboard.press(key)
        page.locator("#ground").select_option("features_agree")
        page.locator("[data-finding] button").first.click()
        page.wait_for_url("**said=**")
        page.context.close()
    stage.take("review-decided", f"/desk/reviews/{waiting}?said=decided", staff[1])


def _sends(page: Page, path: str) -> None:
    page.locator(f"form[action='{path}'] button.primary").click()
    page.locator(".token").first.wait_for()
