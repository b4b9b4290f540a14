"""What all tests share: the two databases, the browser, the shared data, and no network but loopback."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from photojury.datasets.store import open_engine

# In CI nothing may be skipped for want of a program.
ALL = os.environ.get("PHOTOJURY_TEST_ALL") == "1"
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """A connection to any other address is an error, so that no test depends on the network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(host, str) and host and not host.startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("PHOTOJURY_SALT", "salt of the tests")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a throw-away PostgreSQL server, on a socket in a folder of its own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = found[-1].parent if found else Path(shutil.which("initdb") or "").parent
    if not (program / "initdb").is_file():
        _missing("PostgreSQL's initdb (Debian: apt-get install postgresql)")
    home = tmp_path_factory.mktemp("postgres")
    # initdb refuses root; the server then runs as the user that the Debian package made.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        for folder in (home, *home.parents):
            if folder.owner() == "root" and folder.name.startswith(("pytest-", "popen-", "postgres")):
                folder.chmod(0o755)
        shutil.chown(home, "postgres")
    data = home / "data"
    subprocess.run(
        [*user, str(program / "initdb"), "-D", data, "-U", "test", "-A", "trust", "-N"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    start: list[str | Path] = [
        "-o",
        f"-c listen_addresses= -c fsync=off -k {home}",
        "-l",
        home / "log",
        "-w",
        "start",
    ]
    subprocess.run([*user, program / "pg_ctl", "-D", data, *start], check=True, stdout=subprocess.DEVNULL)
    yield f"postgresql+psycopg://test@/postgres?host={home}"
    subprocess.run(
        [*user, program / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgres")
    name = f"db_{os.urandom(6).hex()}"
    engine = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield server.replace("/postgres?", f"/{name}?")
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that tests drive."""
    return _program("chromium")


@pytest.fixture(scope="session")
def chromedriver() -> str:
    """The path of the driver that goes with it."""
    return _program("chromedriver")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared with real data is not beside this checkout")
    return folder


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        _missing(f"{name} (Debian: apt-get install chromium chromium-driver)")
        raise AssertionError
    return path


def _missing(what: str) -> None:
    if ALL:
        pytest.fail(f"{what} is missing, and PHOTOJURY_TEST_ALL=1 allows no skip")
    pytest.skip(f"{what} is not installed")
