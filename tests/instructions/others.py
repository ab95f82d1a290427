"""A function that gives other rows than it must."""

from benchmarks.instructions.subjects import Subject

SUBJECTS = (Subject("other", lambda: lambda: 7, 8),)
