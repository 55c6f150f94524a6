"""A Definition as text, complete and in a fixed order: for records, ``export`` and ``launch``."""

import io
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from howdah.definitions import checking, reading
from howdah.definitions.fields import Report
from howdah.definitions.merging import distribute, spell_out
from howdah.errors import Bug
from howdah.model.definition import Definition


def dumps(definition: Definition) -> str:
    """The text. It loads back to an equal definition."""
    content = definition.model_dump(mode="json", exclude_defaults=False)
    role_configuration = content.pop("role_configuration")
    for role, configuration in role_configuration.items():
        content["roles"][role]["configuration"] = configuration
    writer = YAML(typ="rt", pure=True)
    writer.width = 4096
    writer.default_flow_style = False
    stream = io.StringIO()
    writer.dump(_plain(content), stream)
    return stream.getvalue()


@lru_cache(maxsize=64)
def loads(text: str, file: str = "definition") -> Definition:
    """Read such a text. Raises UserError or Problems. Kept: every look at a cluster reads the text of its record.

    Fields are checked as for any definition; the rules between them are not, for they may have become stricter.
    """
    report = Report()
    document = distribute(spell_out(reading.parse(text, file)))
    definition = checking.check(document, report, extends=False)
    report.finish()
    if definition is None:
        raise Bug(f"{file} gave neither a definition nor a problem")
    return definition


def _plain(value: Any) -> Any:
    """Leave out what is empty; quote the texts that another reader of YAML could take for a number or a boolean."""
    match value:
        case dict():
            return {_text(key): _plain(item) for key, item in value.items() if item not in (None, {}, [], ())}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str():
            return _text(value)
        case _:
            return value


def _text(text: str) -> str:
    is_plain = text[:1].isalpha() and text.isascii() and all(c.isalnum() or c in "-./_" for c in text)
    is_word = text.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    return text if is_plain and is_word else DoubleQuotedScalarString(text)
