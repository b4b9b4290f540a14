"""The command that serves the marketplace: ports and hosts that it cannot have."""

import re
import subprocess
import sys
from pathlib import Path

from photojury.datasets.store import create_study
from tests.support import marketplace


def test_two_servers_on_one_port(tmp_path: Path) -> None:
    """The second says in one sentence that the port is in use; so does a host that is not this machine."""
    study = create_study(tmp_path / "study", "ports")
    serve = [sys.executable, "-m", "photojury", "market", "serve", "--study", str(study.folder)]
    with marketplace(study) as url:
        port = url.rsplit(":", 1)[1]
        for extra, text in (
            (["--port", port], rf"port {port} is in use by another program; name another with --port"),
            (["--host", "0.0.0.0"], "would open the marketplace to other machines"),
        ):
            done = subprocess.run([*serve, *extra], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (2, "")
            assert re.fullmatch(rf"photojury: .*{text}.*\n", done.stderr), done.stderr
    study.close()
