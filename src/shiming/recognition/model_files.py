"""Model files: listed in a manifest, verified by hash before load, never fetched at run time.

`models.toml` beside this module lists the models that Shiming knows. An operator may fill a role with a
model of their own (`shiming models add`); it is copied into the store and listed in `operator.toml` there.
A missing file makes its capability unavailable, an altered one as well; neither is ever a silent pass.
"""

import hashlib
import importlib.util
import os
import sys
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from shiming.recognition.measurements import ModelUse
from shiming.vocabulary.errors import Text, Unavailable

MANIFEST = Path(__file__).with_name("models.toml")
OPERATOR_MANIFEST = "operator.toml"
CHUNK_BYTES = 1 << 20


def default_store() -> Path:
    """Return the folder that `make setup` fills: `SHIMING_MODELS`, else one inside the environment."""
    chosen = os.environ.get("SHIMING_MODELS")
    return Path(chosen) if chosen else Path(sys.prefix) / "share" / "shiming" / "models"


class ModelStatus(StrEnum):
    """What a look at the file says."""

    VERIFIED = "verified"
    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of the manifest. Shapes: `-1` stands for any size; empty means unchecked."""

    name: str
    version: str
    sha256: str
    licence: str
    purpose: str
    source: str
    file: str
    package: str | None = None  # importable package that carries the file; None: the store
    card: str = ""
    optional: bool = False
    input_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()
    operator_supplied: bool = False
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the card of the model."""
        return {
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "sha256": self.sha256,
            "licence": self.licence,
            "purpose": self.purpose,
            "card": self.card,
            "optional": self.optional,
            "operator_supplied": self.operator_supplied,
            "figures": dict(self.figures),
        }


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A verified model file."""

    entry: ModelEntry
    path: Path

    @property
    def use(self) -> ModelUse:
        """Return what a receipt cites."""
        return ModelUse(name=self.entry.name, version=self.entry.version, sha256=self.entry.sha256)


def sha256_of(path: Path) -> str:
    """Return the lower-case hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def read_manifest(path: Path, *, operator_supplied: bool = False) -> dict[str, ModelEntry]:
    """Read `[model.NAME]` tables; an absent file is an empty manifest."""
    if not path.is_file():
        return {}
    tables = tomllib.loads(path.read_text("utf-8")).get("model", {})
    return {name: _entry(name, table, operator_supplied=operator_supplied) for name, table in tables.items()}


def _entry(name: str, table: Mapping[str, Any], *, operator_supplied: bool) -> ModelEntry:
    shapes = {key: tuple(table.get(key, ())) for key in ("input_shape", "output_shape")}
    plain = {key: value for key, value in table.items() if key not in shapes}
    return ModelEntry(
        name=name,
        operator_supplied=operator_supplied,
        input_shape=shapes["input_shape"],
        output_shape=shapes["output_shape"],
        **plain,
    )


def unlisted(path: Path, version: str = "unlisted") -> ModelFile:
    """Return a file that no manifest lists, as training and evaluation need it; hashed, not verified."""
    entry = ModelEntry(
        name=path.stem,
        version=version,
        sha256=sha256_of(path),
        licence="",
        purpose="",
        source=path.name,
        file=path.name,
    )
    return ModelFile(entry=entry, path=path)


class ModelFiles:
    """The models at hand. Each file is hashed once a process, before its first use; safe for threads."""

    def __init__(self, store: Path | None = None, manifest: Path = MANIFEST) -> None:
        self.store = store or default_store()
        self._entries = read_manifest(manifest) | read_manifest(
            self.store / OPERATOR_MANIFEST, operator_supplied=True
        )
        self._verified: dict[str, ModelFile] = {}
        self._lock = threading.Lock()

    def entries(self) -> tuple[ModelEntry, ...]:
        """Return all entries, the operator's in place of ours where a role is filled by the operator."""
        return tuple(self._entries.values())

    def path_of(self, entry: ModelEntry) -> Path:
        """Return where the file should be."""
        if entry.package is None:
            return self.store / entry.file
        spec = importlib.util.find_spec(entry.package)
        folders = spec.submodule_search_locations if spec else None
        return Path(folders[0]) / entry.file if folders else self.store / entry.file

    def status(self, name: str) -> ModelStatus:
        """Hash the file now and say what is found."""
        entry = self._entries.get(name)
        path = self.path_of(entry) if entry else None
        if entry is None or path is None or not path.is_file():
            return ModelStatus.MISSING
        return ModelStatus.VERIFIED if sha256_of(path) == entry.sha256 else ModelStatus.ALTERED

    def get(self, name: str) -> ModelFile:
        """Return a verified file or raise `Unavailable` (MODEL_MISSING, MODEL_ALTERED)."""
        with self._lock:
            if name not in self._verified:
                match self.status(name):
                    case ModelStatus.VERIFIED:
                        entry = self._entries[name]
                        self._verified[name] = ModelFile(entry=entry, path=self.path_of(entry))
                    case ModelStatus.MISSING:
                        raise _unavailable("MODEL_MISSING", name, zh="未安装", en="is not installed")
                    case ModelStatus.ALTERED:
                        raise _unavailable(
                            "MODEL_ALTERED", name, zh="文件校验不符", en="does not match its hash"
                        )
            return self._verified[name]

    def has(self, name: str) -> bool:
        """Say whether `get` would succeed."""
        try:
            self.get(name)
        except Unavailable:
            return False
        return True


def _unavailable(code: str, name: str, *, zh: str, en: str) -> Unavailable:
    return Unavailable(
        code,
        Text(zh=f"识别模型 {name} {zh}。", en=f"The recognition model {name} {en}."),
        advice=Text(
            zh="运行 `make setup` 或 `shiming models add`, 再用 `shiming models verify` 检查。",
            en="Run `make setup` or `shiming models add`, then check with `shiming models verify`.",
        ),
        details={"model": name},
    )
