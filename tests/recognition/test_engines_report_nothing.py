"""The engines that run the models report to nobody; the wheels of ONNX Runtime do unless told not to."""

import os
import subprocess
import sys
from pathlib import Path

_LOADED = "import shiming.recognition.inference, onnxruntime; onnxruntime.SessionOptions()"


def test_no_identifier_of_this_machine_is_made_for_the_maker_of_an_engine(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", _LOADED]
    own = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run(command, env={**environment, **own}, check=True, timeout=120)  # noqa: S603 - ourselves
    assert list(tmp_path.rglob("*")) == []
