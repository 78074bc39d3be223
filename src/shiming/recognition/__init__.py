"""Models in, measurements out. Nothing here decides; thresholds live in policy packs."""

import os

# The official wheels of ONNX Runtime report to their maker unless this stands in the environment before they
# are loaded (Privacy.md in the wheel). What looks at people's faces and documents reports to nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
