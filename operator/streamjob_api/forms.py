"""Forms of texts: what a field's regular expression means in words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """A regular expression, and how a message says it.

    Attributes:
        pattern: as JSON Schema and the API server take it.
        words: what to write, as in "write ...".
    """

    pattern: str
    words: str


LABEL = Form(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and '-', with a letter or digit at each end"
)
CALCULATOR = Form(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "lower-case letters, digits and '-', with a letter or digit at each end; of another package with its name and '/'",
)
OBJECT_NAME = Form(
    r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "lower-case letters, digits, '-' and '.', with a letter or digit at each end"
)
LABEL_VALUE = Form(
    r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
    "letters, digits, '-', '_' and '.', with a letter or digit at each end",
)
VERSION = Form(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "letters, digits, '.', '_' and '-', with a letter or digit first")
ORG_ID = Form(r"^[A-Za-z0-9][A-Za-z0-9_-]*$", "letters, digits, '_' and '-', with a letter or digit first")
TOPIC = Form(r"^[A-Za-z0-9._-]{1,249}$", "1 to 249 letters, digits, '.', '_' and '-'")
MODEL = Form(
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$",
    "1 to 128 letters, digits, '_', '.' and '-', with a letter, digit or '_' first",
)
POINT_PATTERN = Form(
    r"^(\*|[A-Za-z0-9_.*?-]+::[A-Za-z0-9_.*?-]+)$",
    "a pattern of model::point, in which * is any characters and ? any one character",
)
SIZE = Form(r"^([1-9][0-9]*(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)(Mi|Gi|Ti)$", "a number above 0 and Mi, Gi or Ti")
BROKERS = Form(
    r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$", "host:port, several of them separated by commas without blanks"
)
REDIS_URL = Form(r"^rediss?://[^@\s]+$", "a redis:// or rediss:// address without blanks, user and password")
HOST = Form(
    r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$",
    "a host name, with ':' and the port where it has its own",
)
POSTGRES_URL = Form(r"^postgres(ql)?://[^@\s]+$", "a postgresql:// address without blanks, user and password")
STORAGE_URI = Form(r"^[a-z0-9]+://[^@\s]+$", "an address of storage without blanks, user and password")
CHECKPOINT = Form(
    r"^[A-Za-z0-9][A-Za-z0-9_.:-]*(/+[A-Za-z0-9_:-][A-Za-z0-9_.:-]*)*$",
    "a path of letters, digits, '_', '.', '/', ':' and '-', as the status shows it; no part of it begins with '.'",
)
IMAGE = Form(r"^\S+$", "the name of an image, without blanks")

_WORDS = {form.pattern: form.words for form in list(globals().values()) if isinstance(form, Form)}


def words(pattern: str) -> str | None:
    """What a regular expression asks for; None where it is none of these forms."""
    return _WORDS.get(pattern)
