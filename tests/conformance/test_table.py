"""The table in docs/conformance.md."""

import re
from pathlib import Path

import botocore.loaders

TABLE = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_the_table_names_every_operation_once() -> None:
    """Exactly the model's 39, each exact, approximate or absent, and a sentence where it is not exact."""
    rows = re.findall(
        r"^\| (\w+) \| (exact|approximate|absent) \| (.*?) ?\|$", TABLE.read_text("utf-8"), re.MULTILINE
    )
    model = botocore.loaders.Loader().load_service_model("mturk", "service-2")
    assert [name for name, _, _ in rows] == sorted(model["operations"])
    assert len(rows) == 39
    for name, kind, sentence in rows:
        assert (kind == "exact") is (sentence == ""), name
        assert sentence == "" or sentence.endswith("."), name
