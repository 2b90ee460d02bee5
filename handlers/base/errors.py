"""Error answers of every handler: a page, JSON, or lines of text for a terminal."""

import logging
from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError, RequestHandler

from handlers.base.rendering import RenderingHandler
from portal.errors import PortalError, UpstreamFailed, UpstreamSlow
from portal.http.accept import Form, choose

log = logging.getLogger("portal.web")

# For what Tornado itself answers; everything else carries its own sentence.
SENTENCES = {
    400: ("This request cannot be understood.", "Please check the address."),
    404: ("There is no such page.", "Start from the home page."),
    405: ("This address does not take that method.", ""),
    500: ("Something went wrong in the portal.", "It has been noted; please try again."),
}

_NO_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")


def printable(line: str) -> str:
    """The line without what a terminal would obey."""
    return line.translate(_NO_CONTROLS)


class FailingHandler(RenderingHandler):
    """Answers whatever was raised, in the form that the client can use."""

    # The forms of an error, as the portal prefers them: clients that accept anything get text.
    error_forms: tuple[Form, ...] = ("text", "html", "json")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as its reader can use it: a page, JSON, or a line of text."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, PortalError):
            sentence, advice = SENTENCES.get(
                status_code, (HTTPStatus(status_code).phrase + ".", "")
            )
            error = PortalError(sentence, advice)
            error.status = status_code
        self.set_status(error.status)
        if error.retry_after is not None:
            self.set_header("Retry-After", str(error.retry_after))
        self.set_header("Cache-Control", "no-store")
        self.vary("Accept")
        if error.status == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        self.answer_error(error)

    def methods(self) -> list[str]:
        """The methods that this address takes."""
        own = [
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
        ]
        return own if "GET" in own else [method for method in own if method != "HEAD"]

    @property
    def error_form(self) -> Form:
        """The form of an error: `?format=` decides, then Accept, as where nothing fails.

        No error is CSV or an exposition, so Accept decides where those were asked for.
        """
        return self.asked_form(self.error_forms) or choose(self.accept, self.error_forms)

    def answer_error(self, error: PortalError) -> None:
        """Write the body; the status is set already."""
        match self.error_form:
            case "html":
                # No canonical address: it may hold what could not be read.
                self.page("site/error.html", error=error, canonical=None)
            case "json":
                self.finish(self.error_value(error))
            case _:
                self.answer_text(error)

    def error_value(self, error: PortalError) -> dict[str, Any]:
        """The error for a program."""
        said: dict[str, Any] = {"error": error.sentence, "advice": error.advice}
        said["status"] = error.status
        if error.retry_after is not None:
            said["retry_after"] = error.retry_after
        if error.near:
            said["near"] = [f"{self.origin}{place.address}" for place in error.near]
        return said

    def answer_text(self, error: PortalError) -> None:
        """The error as lines for a terminal."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        near = [f"Perhaps {self.origin}{place.address}" for place in error.near]
        # A name from the address stands in the sentence; no terminal is to obey what is in it.
        lines = [printable(line) for line in (error.sentence, error.advice, *near) if line]
        self.finish("".join(f"{line}\n" for line in lines))

    def note_failure(self, error: PortalError) -> None:
        """Count what the upstream failed at, for the operator."""
        if isinstance(error, (UpstreamFailed, UpstreamSlow)):
            self.services.traffic.upstream_failed()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is ours to mend; never the request's repr, which names the client."""
        if isinstance(value, PortalError):
            self.note_failure(value)
            if value.status >= 500:
                cause = f" ({value.__cause__})" if value.__cause__ else ""
                log.warning(
                    "%s %s: %s%s", self.request.method, self.logged_path, value.sentence, cause
                )
        elif not isinstance(value, HTTPError):
            log.error("%s %s", self.request.method, self.logged_path, exc_info=(typ, value, tb))
