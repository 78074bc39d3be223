"""What the verbs of privacy work with; built in one place, passed in everywhere."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.object_store import ObjectStore
from shiming.infrastructure.signing import Signer
from shiming.infrastructure.tombstone_file import TombstoneFile
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber

EVIDENCE = "EVD"  # what references of evidence begin with, and so the names of its objects


@dataclass(frozen=True, slots=True)
class PrivacyTools:
    """Keys, the object store, who signs deletion receipts, the file of destroyed keys, and chance."""

    keys: KeyProvider
    objects: ObjectStore
    signer: Signer
    tombstones: TombstoneFile
    random_bytes: Callable[[int], bytes] = os.urandom

    def new_reference(self, prefix: str) -> str:
        """Return a fresh reference number of this kind."""
        return str(ReferenceNumber.create(prefix, self.random_bytes(RANDOM_BYTES)))
