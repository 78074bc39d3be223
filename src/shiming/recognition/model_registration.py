"""Put an operator's own model in a role: checked by hash and by shape, then copied into the store."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from shiming.recognition.model_files import (
    MANIFEST,
    OPERATOR_MANIFEST,
    ModelEntry,
    read_manifest,
    sha256_of,
)
from shiming.vocabulary.errors import BadInput, Text

MODEL_BYTES_MAX = 2 << 30


@dataclass(frozen=True, slots=True)
class OperatorModel:
    """What the operator states about the model that they supply."""

    file: Path
    role: str
    version: str
    licence: str
    source: str
    sha256: str


def roles(manifest: Path = MANIFEST) -> dict[str, ModelEntry]:
    """Return the roles that an operator may fill: ONNX models whose shapes the manifest states."""
    return {name: entry for name, entry in read_manifest(manifest).items() if entry.input_shape}


def add_model(model: OperatorModel, store: Path) -> ModelEntry:
    """Check and register `model`.

    Raises `BadInput`: MODEL_ROLE_UNKNOWN, MODEL_FILE_ABSENT, MODEL_TOO_LARGE, MODEL_HASH_DIFFERS,
    MODEL_UNREADABLE, MODEL_SHAPE_DIFFERS. Nothing is changed unless every check passes.
    """
    role = roles().get(model.role)
    if role is None:
        raise _refused(
            "MODEL_ROLE_UNKNOWN", "没有这个用途。", "There is no such role.", known=sorted(roles())
        )
    if not model.file.is_file():
        raise _refused("MODEL_FILE_ABSENT", "找不到模型文件。", "The model file is not there.")
    if model.file.stat().st_size > MODEL_BYTES_MAX:
        raise _refused(
            "MODEL_TOO_LARGE", "模型文件过大。", "The model file is too large.", bytes_max=MODEL_BYTES_MAX
        )
    found = sha256_of(model.file)
    if found != model.sha256.lower():
        raise _refused(
            "MODEL_HASH_DIFFERS",
            "文件与给出的哈希不符。",
            "The file does not have the stated hash.",
            found=found,
        )
    _check_shapes(model.file, role)
    return _register(model, store)


def _check_shapes(file: Path, role: ModelEntry) -> None:
    import onnxruntime  # noqa: PLC0415 - half a second; only when a model is really added

    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # the engine raises many types for a file that it cannot load
        raise _refused(
            "MODEL_UNREADABLE", "不是可用的 ONNX 模型。", "It is not a usable ONNX model."
        ) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or not _fits(inputs[0].shape, role.input_shape):
        raise _shape_differs("input", [node.shape for node in inputs], role.input_shape)
    if not _fits(outputs[0].shape, role.output_shape):
        raise _shape_differs("output", [outputs[0].shape], role.output_shape)


def _fits(found: list[Any], wanted: tuple[int, ...]) -> bool:
    """Compare axis by axis; an axis that either side leaves open fits."""
    return len(found) == len(wanted) and all(
        want in {size, -1} or not isinstance(size, int) for size, want in zip(found, wanted, strict=True)
    )


def _register(model: OperatorModel, store: Path) -> ModelEntry:
    role = roles()[model.role]
    target = store / "operator" / f"{model.role}-{model.sha256[:12].lower()}.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model.file, target)
    manifest = store / OPERATOR_MANIFEST
    document = tomlkit.parse(manifest.read_text("utf-8")) if manifest.is_file() else tomlkit.document()
    tables = document.setdefault("model", tomlkit.table(is_super_table=True))
    tables[model.role] = {
        "version": model.version,
        "file": str(target.relative_to(store)),
        "sha256": model.sha256.lower(),
        "licence": model.licence,
        "source": model.source,
        "purpose": role.purpose,
        "input_shape": list(role.input_shape),
        "output_shape": list(role.output_shape),
    }
    manifest.write_text(tomlkit.dumps(document), "utf-8")
    return read_manifest(manifest, operator_supplied=True)[model.role]


def _shape_differs(side: str, found: list[Any], wanted: tuple[int, ...]) -> BadInput:
    return _refused(
        "MODEL_SHAPE_DIFFERS",
        "模型的输入输出形状与用途不符。",
        "The model's shapes do not fit the role.",
        side=side,
        found=str(found),
        wanted=list(wanted),
    )


def _refused(code: str, zh: str, en: str, **details: Any) -> BadInput:
    advice = Text(zh="用 `shiming models list` 查看用途。", en="See the roles with `shiming models list`.")
    return BadInput(code, Text(zh=zh, en=en), advice=advice, details=details)
