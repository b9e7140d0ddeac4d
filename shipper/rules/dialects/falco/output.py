"""Falco's `output` as a message: `%ka.user.name` becomes CEL in `{{ }}`.

What an event does not have is told as Falco tells it: `<NA>`. Asks nothing.
"""

from __future__ import annotations

import re

from shipper.rules.dialects.cel_text import literal
from shipper.rules.dialects.falco.fields import Field, checked, in_cel

_TOKEN = re.compile(
    r"%\*?(?P<name>[a-zA-Z]\w*(?:\.[a-zA-Z]\w*)+)"
    r"(?:\[(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\]]*))\])?"
)
_NA = '"<NA>"'


def message(output: str) -> str:
    """The template. Raises FieldError for a field that there is not."""
    text = " ".join(output.split())
    parts, at = [], 0
    for token in _TOKEN.finditer(text):
        parts.append(_plain(text[at : token.start()]))
        parts.append(_shown(_field(token)))
        at = token.end()
    return "".join([*parts, _plain(text[at:])])


def _field(token: re.Match[str]) -> Field:
    arg = token["double"] or token["single"] or token["bare"]
    return checked(Field(token["name"], arg))


def _plain(text: str) -> str:
    return text.replace("{{", f"{{{{ {literal('{{')} }}}}")


def _shown(field: Field) -> str:
    field = field.alias
    if field.name == "ka.response.code":
        text = "event.responseStatus.code"
        return f"{{{{ {text} != 0 ? string({text}) : {_NA} }}}}"
    text = in_cel(field) or ""
    if text:
        return f'{{{{ {text} != "" ? {text} : {_NA} }}}}'
    texts = f"{'body' if field.of_body else 'fields'}[{literal(str(field))}]"
    shown = f"'(' + {texts}.join(',') + ')'" if field.is_list else f"{texts}[0]"
    return f"{{{{ size({texts}) > 0 ? {shown} : {_NA} }}}}"
