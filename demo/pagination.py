"""Pages of a list, with the headers of https://docs.gitlab.com/api/rest/#pagination."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from tornado.web import HTTPError

from demo.answers import ApiHandler

MAX_PER_PAGE = 100


def send_page(handler: ApiHandler, entries: Sequence[Any]) -> None:
    """Answer with the page that was asked for: `page` (1) and `per_page` (20, at most 100)."""
    page, per_page = _number(handler, "page", 1), _number(handler, "per_page", 20)
    per_page = min(per_page, MAX_PER_PAGE)
    pages = max(1, -(-len(entries) // per_page))
    numbers = {
        "prev": page - 1 if page > 1 else None,
        "next": page + 1 if page < pages else None,
        "first": 1,
        "last": pages,
    }
    counts: dict[str, int | str] = {
        "Page": page,
        "Per-Page": per_page,
        "Total": len(entries),
        "Total-Pages": pages,
    }
    counts["Next-Page"] = numbers["next"] or ""
    counts["Prev-Page"] = numbers["prev"] or ""
    for name, value in counts.items():
        handler.set_header(f"X-{name}", str(value))
    links = [_link(handler, rel, n, per_page) for rel, n in numbers.items() if n is not None]
    handler.set_header("Link", ", ".join(links))
    handler.set_header("Content-Type", "application/json")
    handler.finish(json.dumps(entries[(page - 1) * per_page : page * per_page]))


def _number(handler: ApiHandler, name: str, default: int) -> int:
    value = handler.get_query_argument(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise HTTPError(HTTPStatus.BAD_REQUEST, reason=f"{name} is invalid")
    return int(value)


def _link(handler: ApiHandler, rel: str, page: int, per_page: int) -> str:
    kept = {k: v[-1].decode() for k, v in handler.request.query_arguments.items()}
    query = urlencode({**kept, "page": page, "per_page": per_page})
    return f'<{handler.site.base}{handler.request.path}?{query}>; rel="{rel}"'
