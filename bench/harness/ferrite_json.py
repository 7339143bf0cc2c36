"""What `ferrite --json` prints."""

import json
import re

_INTEGER = re.compile(r"-?[0-9]+")


def parse(text):
    """Like json.loads, with the integers, which `ferrite` prints as strings, as ints."""
    return _with_integers(json.loads(text))


def _with_integers(value):
    if isinstance(value, dict):
        return {name: _with_integers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_integers(part) for part in value]
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return value
