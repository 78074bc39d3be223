"""Keys from environment variables, for installations whose orchestrator keeps the secrets.

Each variable holds `name:base64` pairs of 256-bit keys, parted by commas; the last one is the present one:

    SHIMING_KEK=kek1:...,kek2:...     key-encryption keys (absent: they are in a hardware module)
    SHIMING_PSEUDONYM_KEY=p1:...
    SHIMING_LEDGER_KEY=l1:...

Environment variables can be read by every process of the same user; a key file or a hardware module is safer.
A changed variable is seen at the next start.

>>> keys = keys_from_environment({
...     "SHIMING_KEK": "kek1:" + "A" * 43 + "=", "SHIMING_PSEUDONYM_KEY": "p1:" + "B" * 42 + "A=",
...     "SHIMING_LEDGER_KEY": "l1:" + "C" * 42 + "A="})
>>> keys.kek_ids()
('kek1',)
"""

import base64
import re
from collections.abc import Mapping

from shiming.infrastructure.encryption import KEY_BYTES, InMemoryKeys, KeyUse
from shiming.vocabulary.errors import Text, Unavailable

VARIABLES = {
    KeyUse.KEY_ENCRYPTION: "SHIMING_KEK",
    KeyUse.PSEUDONYM: "SHIMING_PSEUDONYM_KEY",
    KeyUse.LEDGER: "SHIMING_LEDGER_KEY",
}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def keys_from_environment(
    environment: Mapping[str, str], *, uses: tuple[KeyUse, ...] = tuple(KeyUse)
) -> InMemoryKeys:
    """Read the keys of some uses; Unavailable names the variable at fault, never its value."""
    return InMemoryKeys({use: _parse(VARIABLES[use], environment) if use in uses else {} for use in KeyUse})


def _parse(variable: str, environment: Mapping[str, str]) -> dict[str, bytes]:
    text = environment.get(variable, "").strip()
    if not text:
        raise _refused(
            "KEY_ENVIRONMENT_MISSING",
            variable,
            Text(zh=f"未设置环境变量 {variable}。", en=f"The environment variable {variable} is not set."),
        )
    keys: dict[str, bytes] = {}
    for pair in text.split(","):
        name, _, encoded = pair.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not _NAME.fullmatch(name) or name in keys or len(key) != KEY_BYTES:
            raise _refused(
                "KEY_ENVIRONMENT_INVALID",
                variable,
                Text(zh=f"环境变量 {variable} 的密钥无效。", en=f"{variable} holds no valid keys."),
            )
        keys[name] = key
    return keys


def _refused(code: str, variable: str, text: Text) -> Unavailable:
    advice = Text(
        zh="格式为 名称:base64（32 字节），以逗号分隔，最后一个为当前密钥。",
        en="Write name:base64 (32 bytes each), parted by commas; the last one is the present key.",
    )
    return Unavailable(code, text, advice, {"variable": variable})
