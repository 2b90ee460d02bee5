"""Work that goes on beside the requests, as long as the loop runs."""

import asyncio


class Background:
    """A subclass's `_run`, which never returns, as a task of one event loop: `start()` it there."""

    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End it where it waits; return once it has ended."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        raise NotImplementedError
