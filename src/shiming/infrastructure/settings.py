r"""Settings of one installation, read once from the environment.

| variable | meaning | default |
|---|---|---|
| `SHIMING_DATA` | folder of database, encrypted objects and key file | the data folder of the platform |
| `SHIMING_DATABASE_URL` | SQLAlchemy URL of the database | `sqlite:///DATA/shiming.db` |
| `SHIMING_PACK` | policy pack of the installation: a built-in one or a folder | `cn` |
| `SHIMING_SANDBOX` | `1`: chosen challenges and fake services are allowed, and everything says so | `0` |
| `SHIMING_SANDBOX_CHALLENGE` | in a sandbox, what everybody is asked: `turn_left,blink/470913` | drawn |
| `SHIMING_LANGUAGE` | language of texts, `zh` or `en` | that of the locale |
| `SHIMING_OBJECTS` | where encrypted evidence lies: a folder, or `s3://bucket/prefix` | `DATA/objects` |
| `SHIMING_S3_ENDPOINT` | address of an S3-compatible service | that of the S3 library |
| `SHIMING_KEYS` | who keeps the key-encryption key: `file`, `environment` or `pkcs11` | `file` |
| `SHIMING_PUBLIC_URL` | address at which browsers and clients reach us | `http://localhost:8000` |
| `SHIMING_LEDGER_ORIGIN` | name of the ledger on its checkpoints | derived from its key |
| `SHIMING_LEDGER_WITNESSES` | keys of the witnesses of checkpoints: `NAME+ID+KEY`, several by spaces | none |
| `SHIMING_OPERATOR_NAMES` | names on image copies: `cn-mobile=China Mobile;cn-x=...` | the codes |
| `SHIMING_WEBHOOK_NETWORKS` | in-house networks that webhooks may reach: `10.1.0.0/16,...` | none |
| `SHIMING_NATS_URL`, `SHIMING_NATS_CREDENTIALS` | publish events to NATS JetStream as well | none |

Keys (`key_choice`) and sign-in (`AccountSettings`) have further variables of their own.

The data folder of the platform is `$XDG_DATA_HOME/shiming` or `~/.local/share/shiming` on Linux,
`~/Library/Application Support/shiming` on macOS and `%LOCALAPPDATA%\shiming` on Windows: evidence must
not land in whatever folder a command happened to be started from. Nobody else may look into it (0700).

>>> settings = Settings.from_environment({"SHIMING_DATA": "/srv/shiming", "LANG": "zh_CN.UTF-8"})
>>> settings.data_folder.as_posix(), settings.language, settings.sandbox
('/srv/shiming', 'zh', False)
>>> settings.database_url
'sqlite:////srv/shiming/shiming.db'
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self

from shiming.vocabulary.errors import BadInput, Text, Unavailable

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})
_OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this installation keeps things and how it speaks."""

    data_folder: Path
    database_url: str
    pack: str = "cn"
    sandbox: bool = False
    sandbox_challenge: str = ""
    language: str = "en"
    objects: str = ""
    s3_endpoint: str | None = None
    keys: str = "file"
    public_url: str = "http://localhost:8000"
    ledger_origin: str | None = None
    ledger_witnesses: tuple[str, ...] = ()
    nats_url: str | None = None
    nats_credentials: Path | None = None
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    operator_names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; raise BadInput when a value cannot be meant."""
        folder = Path(environment.get("SHIMING_DATA") or _platform_data_folder(environment)).expanduser()
        return cls(
            data_folder=folder,
            database_url=environment.get("SHIMING_DATABASE_URL")
            or f"sqlite:///{(folder / 'shiming.db').as_posix()}",
            pack=environment.get("SHIMING_PACK") or "cn",
            sandbox=_flag(environment, "SHIMING_SANDBOX"),
            sandbox_challenge=_sandbox_challenge(environment),
            language=_language(environment),
            objects=environment.get("SHIMING_OBJECTS") or str(folder / "objects"),
            s3_endpoint=environment.get("SHIMING_S3_ENDPOINT") or None,
            keys=_choice(environment, "SHIMING_KEYS", ("file", "environment", "pkcs11")),
            public_url=_address(environment, "SHIMING_PUBLIC_URL") or "http://localhost:8000",
            ledger_origin=environment.get("SHIMING_LEDGER_ORIGIN") or None,
            ledger_witnesses=tuple(environment.get("SHIMING_LEDGER_WITNESSES", "").split()),
            nats_url=environment.get("SHIMING_NATS_URL") or None,
            nats_credentials=_path(environment, "SHIMING_NATS_CREDENTIALS"),
            webhook_networks=_networks(environment, "SHIMING_WEBHOOK_NETWORKS"),
            operator_names=_names(environment, "SHIMING_OPERATOR_NAMES"),
        )

    @property
    def key_file(self) -> Path:
        """The file that holds the key-encryption, pseudonym and ledger keys."""
        return self.data_folder / "keys.json"

    @property
    def objects_folder(self) -> Path:
        """The folder of the encrypted evidence."""
        return self.data_folder / "objects"


def prepare_data_folder(settings: Settings) -> Path:
    """Create the data folder for its owner alone (0700); refuse one that others could look into."""
    folder = settings.data_folder
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        if os.name == "posix" and not any(folder.iterdir()):
            folder.chmod(0o700)  # nothing was in it that others could have read
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as problem:
        raise Unavailable(
            "DATA_FOLDER_UNUSABLE",
            Text(zh="数据目录无法创建或打开。", en="The data folder cannot be created or opened."),
            Text(zh="请检查 SHIMING_DATA 指向的目录。", en="Check the folder that SHIMING_DATA names."),
            {"folder": str(folder), "reason": problem.strerror or type(problem).__name__},
        ) from problem
    if os.name == "posix" and mode & _OPEN_TO_OTHERS:
        raise Unavailable(
            "DATA_FOLDER_EXPOSED",
            Text(zh="其他用户可以访问数据目录。", en="Other users can open the data folder."),
            Text(zh=f"请执行 chmod 700 {folder}", en=f"Run: chmod 700 {folder}"),
            {"folder": str(folder), "mode": f"{mode:04o}"},
        )
    return folder


def _platform_data_folder(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":  # pragma: no cover - not the platform of the tests
        return Path(environment.get("LOCALAPPDATA") or "~/AppData/Local") / "shiming"
    if sys.platform == "darwin":  # pragma: no cover - not the platform of the tests
        return Path("~/Library/Application Support/shiming")
    return Path(environment.get("XDG_DATA_HOME") or "~/.local/share") / "shiming"


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").strip().lower()
    if value in _YES | _NO:
        return value in _YES
    raise BadInput(
        "SETTING_INVALID",
        Text(zh=f"{name} 只能是 0 或 1。", en=f"{name} must be 0 or 1."),
        details={"setting": name},
    )


def _sandbox_challenge(environment: Mapping[str, str]) -> str:
    """Read which challenge a rehearsal gives; nobody is proven by one that is known beforehand."""
    value = environment.get("SHIMING_SANDBOX_CHALLENGE", "").strip()
    if value and not _flag(environment, "SHIMING_SANDBOX"):
        raise _invalid(
            "SHIMING_SANDBOX_CHALLENGE",
            Text(
                zh="SHIMING_SANDBOX_CHALLENGE 只能用于演练环境。",
                en="SHIMING_SANDBOX_CHALLENGE is for a sandbox only.",
            ),
        )
    return value


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        words = ", ".join(choices)
        raise _invalid(name, Text(zh=f"{name} 只能是 {words} 之一。", en=f"{name} must be one of {words}."))
    return value


def _address(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name, "").strip().rstrip("/")
    if value and not value.startswith(("https://", "http://")):
        raise _invalid(
            name, Text(zh=f"{name} 应为 https:// 地址。", en=f"{name} must be an https:// address.")
        )
    return value or None


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value).expanduser() if value else None


def _networks(environment: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part) for part in environment.get(name, "").replace(",", " ").split())
    except ValueError as problem:
        text = Text(zh=f"{name} 应为网段列表。", en=f"{name} must list networks, such as 10.1.0.0/16.")
        raise _invalid(name, text) from problem


def _names(environment: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Read `code=name;code=name`."""
    parts = [part.partition("=") for part in environment.get(name, "").split(";") if part.strip()]
    if not all(code.strip() and named.strip() for code, _, named in parts):
        raise _invalid(name, Text(zh=f"{name} 应为 代码=名称;...。", en=f"{name} must be CODE=NAME;..."))
    return {code.strip(): named.strip() for code, _, named in parts}


def _invalid(name: str, text: Text) -> BadInput:
    return BadInput("SETTING_INVALID", text, details={"setting": name})


def _language(environment: Mapping[str, str]) -> str:
    asked = environment.get("SHIMING_LANGUAGE", "").lower()
    if asked and asked[:2] not in {"zh", "en"}:
        raise BadInput(
            "SETTING_INVALID",
            Text(zh="SHIMING_LANGUAGE 只能是 zh 或 en。", en="SHIMING_LANGUAGE must be zh or en."),
            details={"setting": "SHIMING_LANGUAGE"},
        )
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "zh" if (asked or locale.lower()).startswith("zh") else "en"
