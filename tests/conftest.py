"""Fixtures that every suite may use."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["fixtures.cluster", "fixtures.kafka", "fixtures.operator", "fixtures.redis"]

# How long an example takes says more of the machine, and of what else runs on it, than of the code.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")
