"""The only place that builds objects: settings, recognition tools, policy, stores, use cases."""

import os
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from shiming.infrastructure.settings import Settings

if TYPE_CHECKING:  # the engines are imported when they are needed, so that `--help` stays fast
    from shiming.entrypoints.recognition_tools import Recognition
    from shiming.jurisdictions.model import Policy
    from shiming.recognition.inference import InferenceObserver


def platform_from_environment() -> "Platform":
    """Build the platform that the environment describes."""
    return Platform(Settings.from_environment(os.environ))


class Platform:
    """Everything wired for one installation; parts are built on first use and kept."""

    def __init__(self, settings: Settings, observer: "InferenceObserver | None" = None) -> None:
        self.settings = settings
        self._observer = observer

    @cached_property
    def recognition(self) -> "Recognition":
        """Return the recognition engines."""
        from shiming.entrypoints.recognition_tools import Recognition

        return Recognition(self._observer)

    def policy(self, pack: str, on: date) -> "Policy":
        """Return the rules of a pack on a day; raises `BadInput` for an unknown pack."""
        from shiming.jurisdictions.pack_reader import policy_on, read_pack

        return policy_on(read_pack(pack), on)
