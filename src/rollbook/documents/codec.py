"""Bytes to values and back: UTF-8 JSON, bounded in depth and width.

``decode_json`` is the only door by which bytes become values; what it lets in is safe to walk recursively.
"""

import re
from typing import Any

import msgspec
import orjson

from rollbook.documents.repeated_names import repeated_name_in
from rollbook.documents.values import Document, Value
from rollbook.errors import JsonTooDeep, MalformedJson, below
from rollbook.limits import DEFAULT_LIMITS, Limits


def decode_json(body: bytes, *, limits: Limits = DEFAULT_LIMITS, name: str = "the body") -> Value:
    """The value of UTF-8 JSON ``body``, which refusals call ``name``.

    Refuses what is no JSON or no UTF-8 (MalformedJson) and what is nested too deeply or too wide (JsonTooDeep), and an
    object with a name that stands twice (MalformedJson), of which one value would be lost.
    """
    try:
        value: Value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise JsonTooDeep(f"{name} is nested more than {limits.body_depth_max} levels deep") from None
        raise MalformedJson(f"{name} is not JSON: {error}") from None
    if body.count(b"[") + body.count(b"{") > limits.body_depth_max or len(body) > limits.object_keys_max:
        check_shape(value, limits=limits)
    if (repeated := repeated_name_in(body, value)) is not None:
        member, at = repeated
        problem = f"{name} has {shortened(member)} twice in one object, and only one can be meant: leave one out"
        raise MalformedJson(problem, at=below(at, member))
    return value


def shortened(name: str) -> str:
    """A name in quotes, short enough for an error message."""
    return repr(name if len(name) <= NAME_LENGTH_MAX else f"{name[:NAME_LENGTH_MAX]}...")


def check_values(body: bytes, *, bytes_max: int, name: str = "the body") -> None:
    """Refuses (JsonTooDeep) JSON with more values than a body of ``bytes_max`` may have, before any of them is made.

    Decoding is one step, in which nothing else runs. How long it takes depends on the values more than on the bytes,
    and eight million bytes can be four million values. An empty array or object counts as two.
    """
    values_max = max(VALUES_MAX, bytes_max // BYTES_PER_VALUE)
    if len(body) <= values_max or _values_in(body, 0, len(body)) <= values_max:
        return
    values = end = 0
    for string in STRING.finditer(body):  # whose commas and brackets are text
        values += _values_in(body, end, string.start())
        end = string.end()
        if values > values_max:
            break
    else:
        values += _values_in(body, end, len(body))
    if values > values_max:
        raise JsonTooDeep(f"{name} has more than {values_max:,} values: send less at once")


def _values_in(body: bytes, begin: int, end: int) -> int:
    return sum(body.count(sign, begin, end) for sign in (b",", b"[", b"{"))


def check_shape(value: Value, *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuses (JsonTooDeep) a value nested deeper, or an object wider, than the limits allow. Does not recurse."""
    if type(value) in (dict, list) and is_within(
        value, depth_max=limits.body_depth_max, members_max=limits.object_keys_max
    ):
        return
    level: list[Value] = [value]
    depth = 0
    while level:
        depth += 1
        following: list[Value] = []
        for container in level:
            if isinstance(container, dict):
                if len(container) > limits.object_keys_max:
                    at = place_in(value, container)
                    raise JsonTooDeep(f"an object has more than {limits.object_keys_max} members", at=at)
                following += [member for member in container.values() if type(member) is dict or type(member) is list]
            elif isinstance(container, list):
                following += [element for element in container if type(element) is dict or type(element) is list]
        if following and depth >= limits.body_depth_max:
            at = place_in(value, following[0])
            raise JsonTooDeep(f"nested more than {limits.body_depth_max} levels deep", at=at)
        level = following


def is_within(value: Value, *, depth_max: int, members_max: int) -> bool:
    """Whether no container is nested deeper, and no object has more members. Does not recurse, and finds no place."""
    level: list[Any] = [value]
    for _ in range(depth_max):
        if max(map(len, level)) > members_max and any(type(one) is dict and len(one) > members_max for one in level):
            return False
        level = [
            member
            for value in level
            for member in (value.values() if type(value) is dict else value)
            if type(member) is dict or type(member) is list
        ]
        if not level:
            return True
    return False


def place_in(value: Value, wanted: Value) -> str:
    """The JSON Pointer of the container ``wanted`` within ``value``: of this very object, not of an equal one."""
    level: list[tuple[str, Value]] = [("", value)]
    while level:
        following: list[tuple[str, Value]] = []
        for at, container in level:
            if container is wanted:
                return at
            if isinstance(container, dict):
                following += [(below(at, k), v) for k, v in container.items() if isinstance(v, (dict, list))]
            elif isinstance(container, list):
                following += [(below(at, i), v) for i, v in enumerate(container) if isinstance(v, (dict, list))]
        level = following
    return ""


def encode_json(value: Value) -> bytes:
    """Compact UTF-8 JSON of ``value``, fields in their order."""
    try:
        return orjson.dumps(value)
    except TypeError:  # it gives up at 255 levels, which an answer may have that holds a deep document
        return msgspec.json.encode(value)


def encode_to_keep(value: Value) -> bytes:
    """As ``encode_json``, in no more memory than it is long. (The buffer that the encoder grows stays as it was.)"""
    return bytes(memoryview(encode_json(value)))


def decode_stored(body: bytes) -> Document:
    """The document of bytes that ``encode_json`` made: trusted, not checked again."""
    document: Document = orjson.loads(body)
    return document


def check_stored(body: bytes) -> None:
    """Refuses (ValueError) stored bytes that are no JSON object. Decodes nothing, and so costs little."""
    _SKIMMER.decode(body)
    if not body.isascii():
        body.decode()


class _AnyObject(msgspec.Struct):
    """An object of which no member is looked at."""


_SKIMMER = msgspec.json.Decoder(_AnyObject)

NAME_LENGTH_MAX = 80

VALUES_MAX, BYTES_PER_VALUE = 1024 * 1024, 8
"""Any body may have VALUES_MAX values; where larger bodies are allowed, one for each BYTES_PER_VALUE of their bound."""

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
