"""Fixtures that every suite may use."""

pytest_plugins = ["fixtures.cluster", "fixtures.kafka", "fixtures.operator", "fixtures.redis"]
