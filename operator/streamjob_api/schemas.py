"""Publish the JSON schemas of what operator and driver exchange: ``python -m streamjob_api.schemas FOLDER``."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from streamjob_api.check import CheckWords
from streamjob_api.job_file import JobFile
from streamjob_api.progress import LastWords, Progress

PUBLISHED: dict[str, type[BaseModel]] = {
    "job.json": JobFile,
    "progress.json": Progress,
    "last-words.json": LastWords,
    "check.json": CheckWords,
}


def rendered() -> dict[str, str]:
    """File name to JSON text of every schema."""
    return {
        name: json.dumps(model.model_json_schema(mode="serialization"), indent=2) + "\n"
        for name, model in PUBLISHED.items()
    }


def main(folder: str) -> None:
    """Write every schema into the folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in rendered().items():
        (Path(folder) / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
