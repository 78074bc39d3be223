"""The specimen person whom the pictures show."""

import json
from pathlib import Path
from typing import Any

SPECIMENS = Path(__file__).parents[1] / "specimens"
DEMO: dict[str, Any] = json.loads((SPECIMENS / "cases.json").read_text("utf-8"))["demo"]
FRONT = SPECIMENS / DEMO["document_front"]
