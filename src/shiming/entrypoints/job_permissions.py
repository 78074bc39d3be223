"""What can be asked of jobs and webhooks; who may is said by `accounts.rules.permission_table`."""

from dataclasses import dataclass
from typing import ClassVar

from shiming.vocabulary.permissions import Permission


@dataclass(frozen=True, slots=True)
class MayManageJobs(Permission):
    """See jobs, and retry or discard dead letters; jobs belong to the whole installation."""

    code: ClassVar[str] = "jobs.manage"


@dataclass(frozen=True, slots=True)
class MayManageWebhooks(Permission):
    """Add, see, change or remove receivers of one operator's events; "" is the events of all."""

    code: ClassVar[str] = "webhooks.manage"
    operator: str = ""
