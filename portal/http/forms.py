"""Parser of posted forms: a file (multipart/form-data, RFC 7578), or fields."""

from tornado.httputil import (
    HTTPFile,
    HTTPInputError,
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    parse_body_arguments,
)

from portal.errors import Malformed

ADVICE = "Send it as multipart/form-data, in the field “{field}”."
# A thousand mounts, the most that a file may hold, have some 15 fields each.
_CONFIG = ParseBodyConfig(
    multipart=ParseMultipartConfig(max_parts=20),
    urlencoded=ParseUrlEncodedConfig(max_arguments=30_000),
)


def posted_file(content_type: str, body: bytes, field: str, default: str) -> tuple[str, bytes]:
    """The name and the content of the file in a field; `default` is a name for one that has none.

    Raises `Malformed`.
    """
    advice = ADVICE.format(field=field)
    if not content_type.startswith("multipart/form-data"):
        raise Malformed("No file came with this request.", advice)
    texts, files = _parsed(content_type, body, advice)
    if field in files:
        return files[field][0].filename, bytes(files[field][0].body)
    if texts.get(field, [b""])[0]:
        return default, bytes(texts[field][0])
    raise Malformed("No file was chosen.", f"Choose a file first. {advice}")


def posted_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form; of several of one name, the last. Raises `Malformed`."""
    texts, _ = _parsed(content_type, body, "Please go back and try again.")
    return {name: values[-1].decode("utf-8", "replace") for name, values in texts.items()}


def _parsed(
    content_type: str, body: bytes, advice: str
) -> tuple[dict[str, list[bytes]], dict[str, list[HTTPFile]]]:
    texts: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_body_arguments(content_type, body, texts, files, config=_CONFIG)
    except HTTPInputError as error:
        raise Malformed("What was sent is cut off or damaged.", advice) from error
    return texts, files
