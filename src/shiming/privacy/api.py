"""All routes of privacy."""

from fastapi import APIRouter

from shiming.privacy import access_api, disclosure_api, evidence_api, ledger_api

router = APIRouter()
for part in (evidence_api, access_api, disclosure_api, ledger_api):
    router.include_router(part.router)
