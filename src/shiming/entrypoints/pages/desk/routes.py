"""All pages of the desk."""

from shiming.entrypoints.pages.desk import (
    access_log,
    accounts,
    clients,
    companies,
    drift,
    home,
    jobs,
    ledger,
    lines,
    numbers,
    packs,
    repudiations,
    reviews,
    service_orders,
    sims,
    transfer_cases,
    webhooks,
)
from shiming.entrypoints.pages.routing import page_router

router = page_router()
for part in (
    home,
    reviews,
    lines,
    companies,
    repudiations,
    transfer_cases,
    service_orders,
    drift,
    numbers,
    sims,
    jobs,
    webhooks,
    accounts,
    clients,
    packs,
    ledger,
    access_log,
):
    router.include_router(part.router)
