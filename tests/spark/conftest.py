"""What the Spark suite shares."""

from fixtures.jobs import job
from fixtures.spark import spark

__all__ = ["job", "spark"]
