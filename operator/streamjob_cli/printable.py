"""Texts of devices and of manifests, made safe to print."""


def printable(text: str) -> str:
    r"""Write what a terminal or a log would obey as ``\x1b`` or ``\n``; letters of all scripts stay."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
