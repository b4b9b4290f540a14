import pytest
from tests.annotate.recruit.test_prolific_commands import *  # noqa
from tests.annotate.recruit.test_prolific_submissions import *  # noqa

@pytest.fixture(autouse=True)
def on_postgres(postgres, monkeypatch):
    import os, sqlalchemy as sa
    from photojury.datasets.store import open_engine
    name = f"db_{os.urandom(6).hex()}"
    engine = open_engine(postgres).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as c: c.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    monkeypatch.setenv("PHOTOJURY_STUDY_STORE", postgres.replace("/postgres?", f"/{name}?"))
    yield
