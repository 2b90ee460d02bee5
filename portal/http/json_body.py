"""A request's body as a JSON object."""

import json

from portal.errors import Malformed
from portal.jsontypes import JSONObject

EDITS = 'Send {"version": 1, "edits": […]}.'


def posted_json(body: bytes, advice: str = EDITS) -> JSONObject:
    """The object that a program posted. Raises `Malformed`, with the advice what to post."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.", advice) from error
    if not isinstance(value, dict):
        raise Malformed("The body is no JSON object.", advice)
    return value
