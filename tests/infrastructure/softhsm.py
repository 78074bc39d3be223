"""A PKCS#11 token in software (SoftHSM2), where it is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pkcs11

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
MODULE = next((Path(place) for place in MODULES if Path(place).exists()), None)
TOOL = shutil.which("softhsm2-util")
MISSING = "SoftHSM2 is not installed (Debian: apt-get install softhsm2)"
PIN = "4321"


def a_token(folder: Path, label: str) -> Path:
    """Make an empty token and return the PKCS#11 module that opens it; for this whole process.

    The module reads its configuration once a process, so all tokens of a run lie in the first one's folder.
    """
    assert MODULE is not None
    assert TOOL is not None
    if "SOFTHSM2_CONF" not in os.environ:
        tokens = folder / "tokens"
        tokens.mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = [TOOL, "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "8765"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a program of the system
    pkcs11.lib(str(MODULE)).reinitialize()  # a loaded module does not look for new tokens
    return MODULE
