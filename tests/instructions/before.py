"""Two functions as they were accepted."""

from benchmarks.instructions.subjects import RECORDS, Subject, encoding

SUBJECTS = (Subject("unchanged", encoding, RECORDS), Subject("changed", encoding, RECORDS))
