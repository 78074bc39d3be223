from pathlib import Path

from tests.fuzz.fuzzing import finds_nothing

RUNS = 3_000  # a few seconds; run the harness itself for longer


def test_fuzzing_finds_nothing(tmp_path: Path) -> None:
    finds_nothing(Path(__file__).with_name("fuzz_proofing.py"), tmp_path, runs=RUNS, longest=256)
