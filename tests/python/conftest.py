"""Settings of all Python tests. HYPOTHESIS_PROFILE=thorough runs property tests on 2,000 examples each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import starlings as sl
from cli_runs import Run, runner
from postgresql_server import MissingServer, running_server

settings.register_profile(
    "fast", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("thorough", parent=settings.get_profile("fast"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture
def threads() -> Iterator[None]:
    """The number of threads may be changed; it is the default again afterwards."""
    yield
    sl.set_num_threads(0)


@pytest.fixture
def cli(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, run in this process."""
    return runner(capfdbinary, monkeypatch)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a PostgreSQL server that runs as long as the tests do."""
    try:
        with running_server() as address:
            yield address
    except MissingServer as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
