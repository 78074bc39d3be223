"""All routes of accounts."""

from fastapi import APIRouter

from shiming.accounts import account_api, client_api, device_api, provider_api, sign_in_api

router = APIRouter()
for part in (sign_in_api, provider_api, account_api, client_api, device_api):
    router.include_router(part.router)
