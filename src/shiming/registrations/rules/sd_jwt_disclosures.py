"""What the disclosures of an SD-JWT say, by the rules of RFC 9901 section 7.1. Pure.

(1) every disclosure is a JSON array of salt, name and value, or of salt and value (an array's element);
(2) no digest stands twice in the signed payload and in what was disclosed;
(3) a disclosure is referred to by exactly one digest, else it is not covered by the signature;
(4) names `_sd` and `...` are reserved, and no claim is stated twice;
(5) digests that nothing was disclosed for (also decoys) leave no trace.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DIGESTS, ELEMENT, HASH = "_sd", "...", "_sd_alg"
SHA_256 = "sha-256"
DISCLOSURES_MAX = 100  # ours has seven, and decoys have none
#: Claims that a verifier relies on: they stand in the signed payload itself (SD-JWT VC, section 3.2.2).
NEVER_DISCLOSED = frozenset({"iss", "nbf", "exp", "cnf", "vct", "status"})
_DEPTH_MAX = 20
_ELEMENT_PARTS, _CLAIM_PARTS = 2, 3


class DisclosureProblem(ValueError):
    """The disclosures break a rule; `code` is a key of `errors.portable_receipts.NOT_GENUINE`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def digest_of(disclosure: str) -> str:
    """Return the digest of a disclosure as it was sent: base64url of SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(disclosure.encode()).digest()).decode().rstrip("=")


def disclosed_claims(payload: Mapping[str, Any], disclosures: Iterable[str]) -> dict[str, Any]:
    """Return the claims with what was disclosed; raise `DisclosureProblem`."""
    if payload.get(HASH, SHA_256) != SHA_256:
        raise DisclosureProblem("SD_JWT_HASH")
    sent = list(disclosures)
    if len(sent) > DISCLOSURES_MAX:
        raise DisclosureProblem("SD_JWT_FORM")
    walk = _Walk({digest_of(each): _read(each) for each in sent})
    if len(walk.disclosed) < len(sent):
        raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM")
    top = {name: value for name, value in payload.items() if name != HASH}
    claims = walk.object(top, 0)
    if walk.used != set(walk.disclosed):
        raise DisclosureProblem("SD_JWT_DISCLOSURE_UNSIGNED")
    return claims


@dataclass(slots=True)
class _Walk:
    """One pass through payload and disclosures."""

    disclosed: Mapping[str, list[Any]]
    seen: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def object(self, node: Mapping[str, Any], depth: int) -> dict[str, Any]:
        if ELEMENT in node:
            raise DisclosureProblem("SD_JWT_NAME_RESERVED")
        found = {name: self.value(value, depth) for name, value in node.items() if name != DIGESTS}
        digests = node.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise DisclosureProblem("SD_JWT_FORM")
        for digest in digests:
            parts = self._take(digest, _CLAIM_PARTS)
            if parts is None:
                continue
            _, name, value = parts
            if name in {DIGESTS, ELEMENT} or (depth == 0 and name in NEVER_DISCLOSED):
                raise DisclosureProblem("SD_JWT_NAME_RESERVED")
            if not isinstance(name, str):
                raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM")
            if name in found:
                raise DisclosureProblem("SD_JWT_NAME_REPEATED")
            found[name] = self.value(value, depth)
        return found

    def value(self, node: Any, depth: int) -> Any:
        if depth > _DEPTH_MAX:
            raise DisclosureProblem("SD_JWT_FORM")
        if isinstance(node, dict):
            return self.object(node, depth + 1)
        if isinstance(node, list):
            return self._elements(node, depth + 1)
        return node

    def _elements(self, nodes: list[Any], depth: int) -> list[Any]:
        found = []
        for node in nodes:
            if isinstance(node, dict) and set(node) == {ELEMENT}:
                parts = self._take(node[ELEMENT], _ELEMENT_PARTS)
                if parts is not None:
                    found.append(self.value(parts[1], depth))
            else:
                found.append(self.value(node, depth))
        return found

    def _take(self, digest: Any, parts: int) -> list[Any] | None:
        """Return the disclosure of a digest, None where nothing was disclosed for it."""
        if not isinstance(digest, str):
            raise DisclosureProblem("SD_JWT_FORM")
        if digest in self.seen:
            raise DisclosureProblem("SD_JWT_DIGEST_REPEATED")
        self.seen.add(digest)
        if digest not in self.disclosed:
            return None
        self.used.add(digest)
        if len(self.disclosed[digest]) != parts:
            raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM")
        return self.disclosed[digest]


def _read(disclosure: str) -> list[Any]:
    try:
        raw = base64.b64decode(disclosure + "=" * (-len(disclosure) % 4), b"-_", validate=True)
        parts = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM") from None
    if not isinstance(parts, list) or len(parts) not in {_ELEMENT_PARTS, _CLAIM_PARTS}:
        raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM")
    if not isinstance(parts[0], str):
        raise DisclosureProblem("SD_JWT_DISCLOSURE_FORM")
    return parts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a name stands twice"
        raise ValueError(message)
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
