"""Serving: Streamlit as a program of its own, with photojury's looks, that asks nothing of any network.

The program begins to read the place when it starts, so that the first page need not wait for imports and long tables.

serve(Path("demo-study"), host="127.0.0.1", port=8501, browser=False)
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from importlib.resources import files
from pathlib import Path

from photojury.analysis.dashboard.look import theme_options
from photojury.analysis.dashboard.opening import kind_of
from photojury.errors import InputError, PhotojuryError
from photojury.settings import load

_QUIET = {
    "browser.gatherUsageStats": "false",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    # Their CSV would hold texts that spreadsheets run; ours does not.
    "client.disableDataExport": "true",
    "logger.level": "error",
    # What Streamlit would say and ask when it starts is its own business, not the study's.
    "logger.hideWelcomeMessage": "true",
    "server.showEmailPrompt": "false",
}


def serve(place: Path, *, host: str, port: int, browser: bool) -> None:
    """Serve the dashboard of a place until Ctrl-C.

    Raises:
        InputError: nothing that can be shown, or the port is taken.
        SettingsError: study.toml is wrong.
        PhotojuryError: Streamlit ended by itself.
    """
    if kind_of(place) == "study":
        load(place)  # a broken study.toml is said here, not on the page
    _check(host, port)
    process = subprocess.Popen(command(place, host=host, port=port, browser=browser), env=_environment())
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        status = process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        _end(process)
    if status:
        raise PhotojuryError(f"the dashboard ended with status {status}; what it said stands above")


def address(host: str, port: int) -> str:
    """What to open in a browser."""
    name = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def command(place: Path, *, host: str, port: int, browser: bool) -> list[str]:
    """The command line of Streamlit."""
    app = files("photojury.analysis") / "dashboard_app.py"
    options = [part for name, value in _QUIET.items() for part in (f"--{name}", value)]
    return [
        sys.executable, "-m", "photojury.analysis.dashboard.serving", "run", str(app),
        "--server.address", host, "--server.port", str(port), "--server.headless", "false" if browser else "true",
        *options, *theme_options(), "--", str(place),
    ]  # fmt: skip


def _leave(number: int, frame: object) -> None:
    """Whoever ends this program ends the server with it."""
    raise SystemExit(128 + number)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _check(host: str, port: int) -> None:
    """Whether the address can be listened at, before a program is started for it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"nothing can listen at {host}:{port} ({error.strerror}); name another one with --port or --host"
            ) from None


def _environment() -> dict[str, str]:
    """The environment, in which Streamlit finds no settings of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}


def main() -> None:
    """Streamlit's own command line, in a process that reads the place at once."""
    from streamlit.web import cli

    place = Path(sys.argv[-1])
    threading.Thread(target=_read_ahead, args=(place,), daemon=True).start()
    sys.argv[0] = "streamlit"
    cli.main()


def _read_ahead(place: Path) -> None:
    """Import what pages need, read the long tables and prepare what is shown first."""
    # Streamlit warns of every cached function that is called before its server runs.
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    try:
        from photojury.analysis.dashboard import charts, preparing, running
        from photojury.analysis.dashboard.opening import current

        opened = current(place)
        if opened.answers.study is not None:
            running.look(opened.study)
        assert charts  # imported for its libraries, which take a second
        preparing.begin(opened)
    except PhotojuryError:
        return  # the page says it


if __name__ == "__main__":
    main()
