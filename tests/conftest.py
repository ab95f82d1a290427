"""Fixtures that every suite may use."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["fixtures.cluster", "fixtures.kafka", "fixtures.operator", "fixtures.redis", "fixtures.second_node"]

# How long an example takes says more of the machine, and of what else runs on it, than of the code. The same examples
# each time, so that a failure is the change's own; `make deep` looks for others.
settings.register_profile(
    "any-machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="STREAMJOB_EXAMPLES" not in os.environ,
)
settings.load_profile("any-machine")
