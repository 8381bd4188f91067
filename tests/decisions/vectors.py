"""The cases of vectors.jsonl."""

import json
from pathlib import Path

VECTORS = [
    json.loads(line) for line in (Path(__file__).parent / "vectors.jsonl").open(encoding="utf-8")
]
