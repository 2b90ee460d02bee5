"""Chunked answers: sent while they are generated, since they are too long for memory."""

from collections.abc import AsyncIterator

from tornado.iostream import StreamClosedError

from handlers.base.handler import Handler
from portal.errors import PortalError


class PiecesHandler(Handler):
    """An address with such answers. They have no length and no ETag."""

    async def send_pieces(self, pieces: AsyncIterator[str]) -> None:
        """Send them; the headers are set already. What ends early must not look whole."""
        if self.request.method == "HEAD":
            await self.flush()  # or Tornado would say that there is nothing
            return
        try:
            async for piece in pieces:
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return
        except PortalError:
            if self._headers_written:
                self._hang_up()
            raise
        if self.request.version == "HTTP/1.0":  # without chunks, nothing else says that it is whole
            self._hang_up()

    def _hang_up(self) -> None:
        self.request.connection.stream.close()  # type: ignore[union-attr]
