"""What the fault suite shares."""

from fixtures.jobs import job

__all__ = ["job"]
