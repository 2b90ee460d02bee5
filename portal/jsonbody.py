"""A request's body as a JSON object."""

import json

from portal.errors import Malformed
from portal.saves.plain import JSONObject


def posted_json(body: bytes) -> JSONObject:
    """The object that a program posted. Raises `Malformed`."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.", 'Send {"version": 1, "edits": […]}.') from error
    if not isinstance(value, dict):
        raise Malformed("The body is no JSON object.", 'Send {"version": 1, "edits": […]}.')
    return value
