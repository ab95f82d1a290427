"""Every reason that a user can read is explained in the documentation."""

import re
from pathlib import Path

from streamjob_operator import reasons

DOCS = Path(__file__).parents[3] / "docs"


def test_every_reason_has_a_heading_or_a_row() -> None:
    headings = set(re.findall(r"^### (\w+)$", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE))
    cells = re.findall(r"^\| (`.*?`) \|", (DOCS / "status.md").read_text(), re.MULTILINE)
    rows = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    known = {
        value for name, value in vars(reasons).items() if name.isupper() and name[0] != "_" and isinstance(value, str)
    }
    assert known - headings - rows == set()
