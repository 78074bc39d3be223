"""Fetch pinned npm packages as tarballs, checked by hash; nothing of them is ever installed or run.

Runs in the builder environment of `environment.py`, which has npm. Tarballs stay under `.cache/npm`, so
another set-up needs no network for them.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "npm"


def npm_tarball(name: str, version: str, sha512: str) -> Path:
    """Return the cached tarball of an npm package, fetched if need be and always checked."""
    tarball = CACHE / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not tarball.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        npm = Path(sys.executable).with_name("npm")
        subprocess.run([npm, "pack", f"{name}@{version}", "--silent"], cwd=CACHE, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != sha512:
        tarball.unlink()
        raise SystemExit(f"{name}@{version}: the tarball does not match its pinned hash")
    return tarball


def take_from_tarball(tarball: Path, members: tuple[str, ...], target: Path) -> None:
    """Copy the named members, flat."""
    with tarfile.open(tarball) as archive:
        for member in members:
            stream = archive.extractfile(member)
            if stream is None:
                raise SystemExit(f"{tarball.name}: {member} is not a file")
            (target / Path(member).name).write_bytes(stream.read())
