"""A syntax error in words: what was found, what could stand there instead, and how it is written here."""

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from streamjob_api.expressions.builder import position_of
from streamjob_api.expressions.faults import Fault, Position

_MAX_SHOWN = 40
_OPERATORS = {"OR", "AND", "COMPARISON", "PLUS", "MINUS", "TIMES", "DIVIDE", "REMAINDER"}
_PUNCTUATION = {"LPAR": "'('", "RPAR": "')'", "LBRACE": "'{'", "RBRACE": "'}'", "COMMA": "','", "ELSE": "'else'"}
_CHARACTERS = {
    "=": "; compare with '=='",
    "&": "; write '&&' for and",
    "$": "; a point is written ${model::point}, with both braces on one line",
    ":": "; a point is written ${model::point}",
    '"': ": the text that begins here is not closed on its line",
    "'": ": the text that begins here is not closed on its line",
}
_TYPOGRAPHIC_QUOTES = dict.fromkeys("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb", "; write texts in straight quotes")
_WORDS = {
    "and": "; write '&&' for and",
    "or": "; write '||' for or",
    "then": "; write if (condition) { a } else { b }",
    "elif": "; write 'else if'",
    "not": "; write '!' for not",
}


def syntax_fault(text: str, error: UnexpectedToken | UnexpectedCharacters) -> Fault:
    """The fault that lark's error stands for."""
    if isinstance(error, UnexpectedCharacters):
        found = text[error.pos_in_stream or 0]
        hint = (_CHARACTERS | _TYPOGRAPHIC_QUOTES).get(found, "; it has no meaning here")
        return Fault(Position(error.line, error.column), f"found {found!r}{hint}")
    token = error.token
    accepted: set[str] = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
    if token.type == "$END":
        return Fault(_end(text), f"the expression ends here, expected {_expected(accepted)}{_hint(error, accepted)}")
    return Fault(position_of(token), f"found {_shown(token)}, expected {_expected(accepted)}{_hint(error, accepted)}")


def _end(text: str) -> Position:
    lines = text.rstrip().split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


def _shown(token: Token) -> str:
    return f"'{token}'" if len(token) <= _MAX_SHOWN else f"'{token[:_MAX_SHOWN]}...'"


def _expected(accepted: set[str]) -> str:
    takes_value, takes_operator = "VARIABLE" in accepted, bool(accepted & _OPERATORS)
    words = ["a value"] if takes_value else ["an operator"] if takes_operator else []
    # a value may begin with '(', and a bare word might have been a function
    unsaid = {"LPAR"} if takes_value or takes_operator else set()
    words += [word for name, word in _PUNCTUATION.items() if name in accepted - unsaid]
    words += ["the end"] if "$END" in accepted else []
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _hint(error: UnexpectedToken, accepted: set[str]) -> str:
    kind, takes_value, takes_operator = error.token.type, "VARIABLE" in accepted, bool(accepted & _OPERATORS)
    if "ELSE" in accepted:
        return "; each 'if' needs its 'else'"
    if kind == "COMPARISON" and takes_operator and not takes_value:
        return "; comparisons cannot be chained, write a < b && b < c"
    if kind == "LBRACE" and takes_value:
        return "; a point is written ${model::point}"
    if kind in _OPERATORS and "SEMICOLON" in accepted and not takes_operator:
        return "; put the 'if' in parentheses to calculate with its value"
    if accepted == {"$END"}:
        return "; an expression is one calculation, without statements"
    return _word_hint(error)


def _word_hint(error: UnexpectedToken) -> str:
    before = error.interactive_parser.parser_state.value_stack[-1:]
    words = [token.lower() for token in (error.token, *before) if isinstance(token, Token) and token.type == "NAME"]
    return next((_WORDS[word] for word in words if word in _WORDS), "")
