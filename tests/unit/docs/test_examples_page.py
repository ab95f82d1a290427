"""The page of the examples is true: it names each folder, and says which of them run in this version."""

import re
from pathlib import Path

from streamjob_cli.validate import Request, checked

EXAMPLES = Path(__file__).parents[3] / "examples"
ROW = re.compile(r"^\| \[`([^`]+)`\].*\| (runs|not yet: )[^|]*\|$", re.MULTILINE)


def test_the_page_says_which_examples_run() -> None:
    said = {folder: word == "runs" for folder, word in ROW.findall((EXAMPLES / "README.md").read_text())}
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    assert said == {folder: not checked(Request([str(EXAMPLES / folder)])).errors for folder in folders}
