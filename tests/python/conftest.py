"""Settings of all Python tests. HYPOTHESIS_PROFILE=thorough runs property tests on 2,000 examples each."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import starlings as sl

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
