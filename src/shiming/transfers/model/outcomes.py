"""How a decision about a transfer can end."""

from dataclasses import dataclass

from shiming.vocabulary.refusals import Refusal


@dataclass(frozen=True, slots=True)
class TransferAllowed:
    """The rules have nothing against it."""


@dataclass(frozen=True, slots=True)
class TransferRefused:
    """Nothing was done, for all these reasons."""

    refusals: tuple[Refusal, ...]
