"""What tests of downloading share: a study with candidates, and a look at what became of them."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from photojury.datasets.store import Study, create_study

# No waiting: what fails is left for the next run, and hosts are asked as fast as they answer.
FAST: dict[tuple[str, str], object] = {
    ("download", "per_host_per_second"): 0.0,
    ("download", "patience_seconds"): 0.0,
    ("download", "threads"): 8,
}


def study_of(
    folder: Path, urls: Sequence[str], values: Mapping[tuple[str, str], object] | None = None
) -> Study:
    """A study with a candidate for each address; the first has the id 0."""
    study = create_study(folder, "test", {**FAST, **(values or {})})
    rows = [
        {"source": "urls", "source_id": str(number), "state": "found", "seen_at": 0.0, "file_url": url}
        for number, url in enumerate(urls)
    ]
    study.add("candidates", rows)
    return study


def candidate(study: Study, number: int = 0) -> dict[str, Any]:
    """A candidate's row, missing values as None."""
    frame = study.read("candidates", {"source_id": str(number)}).astype(object)
    row = frame.where(frame.notna(), None).iloc[0]
    return {str(name): value for name, value in row.items()}


def states(study: Study) -> list[tuple[str, str | None]]:
    """State and rule of every candidate, in the order of their numbers."""
    frame = study.read("candidates").astype(object)
    frame = frame.where(frame.notna(), None)
    frame = frame.iloc[frame["source_id"].astype(int).argsort()]
    return list(zip(frame["state"], frame["rule"], strict=True))


def stub(names: Mapping[str, Sequence[str]]) -> Any:
    """A resolver that knows only these names; each look-up of a name gives the next of its addresses."""
    left = {name: list(addresses) for name, addresses in names.items()}

    def resolve(host: str, port: int, *_: object) -> list[Any]:
        if host not in left:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = left[host].pop(0) if len(left[host]) > 1 else left[host][0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    return resolve
