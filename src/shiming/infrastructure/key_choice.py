"""Which provider keeps the keys of this installation.

| `SHIMING_KEYS` | keys that wrap data keys | keys of pseudonyms and of the ledger |
|---|---|---|
| `file` (default) | the key file | the key file |
| `environment` | `SHIMING_KEK` | `SHIMING_PSEUDONYM_KEY`, `SHIMING_LEDGER_KEY` |
| `pkcs11` | a token, see below | as with `environment` when one of those is set, else the key file |

The token is named by `SHIMING_PKCS11_MODULE` (the vendor's library), `SHIMING_PKCS11_TOKEN` (its label) and
`SHIMING_PKCS11_PIN` or `SHIMING_PKCS11_PIN_FILE`. Key-encryption keys of the key file or the environment stay
able to unwrap beside a token, so that `shiming kek rotate` moves an installation into it.
"""

from collections.abc import Mapping
from pathlib import Path

from shiming.infrastructure.encryption import KeyProvider, KeyUse, SplitKeys
from shiming.infrastructure.hardware_keys import HardwareKeys, open_hardware_keys
from shiming.infrastructure.key_environment import VARIABLES, keys_from_environment
from shiming.infrastructure.key_file import FileKeys, add_kek, open_key_file
from shiming.infrastructure.settings import Settings
from shiming.vocabulary.errors import BadInput, Text, Unavailable

_NAMES = (KeyUse.PSEUDONYM, KeyUse.LEDGER)


def key_provider_from(settings: Settings, environment: Mapping[str, str], *, may_create: bool) -> KeyProvider:
    """Open the keys that the environment names; `may_create` (no database yet) makes a missing key file."""
    if settings.keys == "environment":
        return keys_from_environment(environment)
    if settings.keys == "pkcs11":
        return SplitKeys(_hardware(environment), _names(settings, environment, may_create=may_create))
    return open_key_file(settings.key_file, may_create=may_create)


def add_key_encryption_key(settings: Settings, keys: KeyProvider) -> str:
    """Make a new key-encryption key the present one where the provider can; return its name."""
    if isinstance(keys, FileKeys):
        return add_kek(settings.key_file)
    if isinstance(keys, SplitKeys) and isinstance(keys.keks, HardwareKeys):
        return keys.keks.add_kek()
    raise BadInput(
        "KEK_NOT_OURS",
        Text(zh="这些密钥不由本程序保管。", en="These keys are not kept by this program."),
        Text(
            zh="请在 SHIMING_KEK 末尾添加新密钥并重新启动。",
            en="Add the new key at the end of SHIMING_KEK, then start the programs again.",
        ),
    )


def _hardware(environment: Mapping[str, str]) -> HardwareKeys:
    for name in ("SHIMING_PKCS11_MODULE", "SHIMING_PKCS11_TOKEN"):
        if not environment.get(name):
            raise BadInput(
                "SETTING_INVALID",
                Text(zh=f"缺少 {name}。", en=f"{name} is missing."),
                details={"setting": name},
            )
    module = Path(environment["SHIMING_PKCS11_MODULE"])
    return open_hardware_keys(module, environment["SHIMING_PKCS11_TOKEN"], _pin(environment))


def _pin(environment: Mapping[str, str]) -> str:
    file = environment.get("SHIMING_PKCS11_PIN_FILE")
    if not file:
        return environment.get("SHIMING_PKCS11_PIN", "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as problem:
        raise Unavailable(
            "HARDWARE_PIN",
            Text(zh="无法读取 PIN 文件。", en="The file of the PIN cannot be read."),
            Text(zh="请检查 SHIMING_PKCS11_PIN_FILE。", en="Check SHIMING_PKCS11_PIN_FILE."),
        ) from problem


def _names(settings: Settings, environment: Mapping[str, str], *, may_create: bool) -> KeyProvider:
    if any(environment.get(VARIABLES[use]) for use in _NAMES):
        older = (KeyUse.KEY_ENCRYPTION,) if environment.get(VARIABLES[KeyUse.KEY_ENCRYPTION]) else ()
        return keys_from_environment(environment, uses=(*older, *_NAMES))
    return open_key_file(settings.key_file, may_create=may_create)
