"""The manifest, verification before load, and models that an operator adds."""

import threading
from pathlib import Path

import numpy as np
import pytest

from shiming.recognition.inference import ModelRuntime
from shiming.recognition.model_files import MANIFEST, ModelFiles, ModelStatus, read_manifest, sha256_of
from shiming.recognition.model_registration import OperatorModel, add_model
from shiming.vocabulary.errors import BadInput, Unavailable


def a_manifest(folder: Path, content: bytes = b"weights", sha256: str | None = None) -> Path:
    (folder / "net.onnx").write_bytes(content)
    manifest = folder / "models.toml"
    manifest.write_text(
        f"""
        [model.net]
        version = "1"
        file = "net.onnx"
        sha256 = "{sha256 or sha256_of(folder / "net.onnx")}"
        licence = "MIT"
        source = "made by the test"
        purpose = "nothing"
        """
    )
    return manifest


def test_a_file_that_matches_its_hash_is_given_out(tmp_path: Path) -> None:
    files = ModelFiles(tmp_path, a_manifest(tmp_path))
    assert files.get("net").use.version == "1"
    assert files.has("net")


def test_an_altered_file_is_unavailable(tmp_path: Path) -> None:
    manifest = a_manifest(tmp_path)
    (tmp_path / "net.onnx").write_bytes(b"weightz")
    files = ModelFiles(tmp_path, manifest)
    assert files.status("net") is ModelStatus.ALTERED
    with pytest.raises(Unavailable) as raised:
        files.get("net")
    assert raised.value.code == "MODEL_ALTERED"


def test_a_missing_file_is_unavailable_and_not_a_silent_pass(tmp_path: Path) -> None:
    manifest = a_manifest(tmp_path)
    (tmp_path / "net.onnx").unlink()
    files = ModelFiles(tmp_path, manifest)
    assert not files.has("net")
    with pytest.raises(Unavailable) as raised:
        ModelRuntime(files).onnx("net")
    assert raised.value.code == "MODEL_MISSING"


def test_every_shipped_model_states_licence_source_and_card() -> None:
    for entry in read_manifest(MANIFEST).values():
        assert all((entry.licence, entry.source, entry.purpose, entry.card)), entry.name
        assert len(entry.sha256) == 64, entry.name


@pytest.mark.models
def test_the_shipped_models_are_genuine() -> None:
    files = ModelFiles()
    assert {entry.name: files.status(entry.name) for entry in files.entries()} == {
        entry.name: ModelStatus.VERIFIED for entry in files.entries()
    }


@pytest.mark.models
def test_engines_are_shared_by_threads_and_agree() -> None:
    runtime = ModelRuntime(ModelFiles())
    tensor = np.linspace(0, 1, 192 * 192 * 3, dtype=np.float32).reshape(1, 192, 192, 3)
    alone = runtime.litert("face_mesh")(tensor)[0]
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(runtime.litert("face_mesh")(tensor)[0]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(alone, result) for result in results)  # type: ignore[arg-type] # arrays


@pytest.mark.models
def test_an_operators_model_takes_its_role_after_hash_and_shape_checks(tmp_path: Path) -> None:
    shipped = ModelFiles().get("face_embedding").path
    model = OperatorModel(
        file=shipped,
        role="face_embedding",
        version="ours-1",
        licence="ours",
        source="us",
        sha256=sha256_of(shipped),
    )
    entry = add_model(model, tmp_path)
    assert entry.operator_supplied
    assert ModelFiles(tmp_path).get("face_embedding").use.version == "ours-1"


@pytest.mark.models
@pytest.mark.parametrize(
    ("role", "sha256", "code"),
    [
        ("no_such_role", "", "MODEL_ROLE_UNKNOWN"),
        ("face_embedding", "00", "MODEL_HASH_DIFFERS"),
        ("face_embedding", "", "MODEL_SHAPE_DIFFERS"),
    ],
)
def test_an_operators_model_that_does_not_fit_is_refused(
    tmp_path: Path, role: str, sha256: str, code: str
) -> None:
    other = ModelFiles().get("passive_liveness").path
    model = OperatorModel(
        file=other, role=role, version="1", licence="l", source="s", sha256=sha256 or sha256_of(other)
    )
    with pytest.raises(BadInput) as raised:
        add_model(model, tmp_path)
    assert raised.value.code == code
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vendor.onnx"
    file.write_bytes(b"not a model")
    model = OperatorModel(
        file=file, role="face_embedding", version="1", licence="l", source="s", sha256=sha256_of(file)
    )
    with pytest.raises(BadInput) as raised:
        add_model(model, tmp_path / "store")
    assert raised.value.code == "MODEL_UNREADABLE"
