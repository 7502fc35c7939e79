"""Validation errors of files that a user writes, as one plain sentence."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

_LONGEST_VALUE: Final = 60
_KINDS: Final = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_OUT_OF_RANGE: Final = ("greater_than_equal", "less_than_equal", "greater_than", "less_than")

_Schema = Mapping[str, Any]


def plain_error(model: type[BaseModel], error: ValidationError, kind: str = "setting") -> str:
    """Return the first thing wrong with the content of `model`, as "audio.voices: 'few' is not one of ...".

    Args:
        model: What the content was validated as.
        error: What pydantic found.
        kind: What a field of the content is called.

    Returns:
        One line: the field, the value, and what is allowed there.
    """
    first = error.errors()[0]
    place = [part for part in first["loc"] if part != "[key]"]
    field = ".".join(str(part) for part in place)
    reason = _reason(model, first, place, kind)
    return f"{field}: {reason}" if field else reason


def shown(value: object) -> str:
    """Return a value as it stands in a settings file, cut short."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _reason(model: type[BaseModel], error: Mapping[str, Any], place: Sequence[str | int], kind: str) -> str:
    schema = model.model_json_schema()
    if error["type"] == "extra_forbidden":
        fields = _at(schema, place[:-1]).get("properties", {})
        return f"is not a {kind}; the {kind}s here are {', '.join(fields)}"
    if error["type"] == "missing":
        return f"is missing; give {allowed(_at(schema, place))}"
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    if error["loc"][-1:] == ("[key]",):
        return f"{shown(error['input'])} is not a name"
    here = _at(schema, place)
    if error["type"] in _OUT_OF_RANGE and "minimum" in here and "maximum" in here:
        return f"{shown(error['input'])} is outside the allowed range {here['minimum']} to {here['maximum']}"
    hint = "; put it in quotation marks" if error["type"] == "string_type" else ""
    return f"{shown(error['input'])} is not {allowed(here)}{hint}"


def allowed(schema: _Schema) -> str:
    """Return what a JSON schema allows, in words: "a whole number from 1 to 16", "one of one, many"."""
    if "anyOf" in schema:
        return " or ".join(allowed(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    kind = schema.get("type")
    if kind == "string":
        return f"text{_lengths(schema)}"
    if kind == "array":
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"a list{most}, each {allowed(schema['items'])}"
    if kind in _KINDS:
        return f"{_KINDS[kind]}{_range(schema)}"
    return "a list of `name: value` lines"


def _range(schema: _Schema) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']} to {schema['maximum']}"
    return f" from {schema['minimum']} on" if "minimum" in schema else ""


def _lengths(schema: _Schema) -> str:
    if "maxLength" in schema:
        return f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return " that is not empty" if schema.get("minLength") else ""


def _at(schema: _Schema, place: Sequence[str | int]) -> _Schema:
    """Return the part of a model's JSON schema that describes the field at a place."""
    here: _Schema = schema
    for part in place:
        here = _resolved(schema, here)
        fields = here.get("properties", {})
        here = fields.get(part) or here.get("items") or here.get("additionalProperties") or {}
    return _resolved(schema, here)


def _resolved(schema: _Schema, here: _Schema) -> _Schema:
    """Return a schema, or what it refers to by name."""
    return schema["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else here
