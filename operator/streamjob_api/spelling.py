"""How values are spelled: in messages, cut and without passwords; and in examples, as YAML."""

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_SHOWN = 80
_CREDENTIALS = re.compile(r"://\S*@")
# Texts that YAML would read as something else, or not at all, without quotes.
_OTHERWISE = re.compile(r"[-+.]?[0-9][0-9_.]*([eE][-+]?[0-9]+)?|true|false|yes|no|on|off|y|n|null|~|", re.IGNORECASE)
_SPECIAL = re.compile(r"^[\s&*!|>%@`\"'?:,-]|[\[\]{}#,]|: |[\s:]$|[\x00-\x1f\\]")


def shown(value: Any) -> str:
    """A value that was given, in quotes if it is a text; lists and mappings are only called so."""
    if isinstance(value, str):
        return repr(cut(value))
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return cut(json.dumps(value, default=str))


def cut(text: str) -> str:
    """A text of which only the beginning is shown when it is long."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def without_credentials(sentence: str) -> str:
    """A sentence in which addresses have lost user and password."""
    return _CREDENTIALS.sub("://...@", sentence)


def typed(value: Any) -> str:
    """A value that was given, with what it is: ``the text '5'``."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {shown(value)}"
    return shown(value)


def as_yaml(value: Any) -> str:
    """A value as a manifest writes it on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{as_yaml(name)}: {as_yaml(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, str) and not (_OTHERWISE.fullmatch(value) or _SPECIAL.search(value)):
        return value
    return json.dumps(value, ensure_ascii=False)
