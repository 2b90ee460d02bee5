"""A plain download proxy of Flask, httpx and gunicorn's threads: a peer of the portal."""

import os
from collections.abc import Iterator
from typing import Any

import httpx  # type: ignore[import-not-found,unused-ignore]  # the linters run without it
from flask import Flask, Response  # type: ignore[import-not-found,unused-ignore]

HEADERS = ("Content-Type", "Content-Length", "ETag", "Last-Modified")

app = Flask(__name__)
client = httpx.Client(base_url=os.environ["ORIGIN"], limits=httpx.Limits(max_connections=None))


def serve(name: str) -> Any:
    """Stream one file from the origin."""
    upstream = client.send(client.build_request("GET", f"/{name}"), stream=True)

    def body() -> Iterator[bytes]:
        yield from upstream.iter_raw()

    answer = Response(body(), upstream.status_code)
    answer.headers.clear()
    for header in HEADERS:
        if header in upstream.headers:
            answer.headers[header] = upstream.headers[header]
    answer.call_on_close(upstream.close)
    return answer


app.add_url_rule("/<name>", view_func=serve)
