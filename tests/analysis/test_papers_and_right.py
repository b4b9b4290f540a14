"""docs/papers-and-right.md: its snippets give the numbers that stand there."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "papers-and-right.md"


def test_every_snippet_of_the_page_runs() -> None:
    """All blocks in one session, in their order; each printed number is what the function gives today."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) > 15
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(parsed, out=told.append)
    assert result.failed == 0, "".join(told)
