"""The recorder of events, with the portal's errors in place of the database's."""

from portal.errors import Unavailable
from portal.events import Event
from sql.errors import RecordError
from sql.recorder import Recorder


class EventLog:
    """Records events durably; belongs to one process's event loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def record(self, event: Event) -> None:
        """Return once the event is committed, or synced to the spill file.

        Raises `Unavailable` when it can be neither: then nothing may be sent that it stands for.
        """
        try:
            await self._recorder.record(event)
        except RecordError as error:
            raise Unavailable(
                "The portal cannot record this right now, and serves nothing unrecorded.",
                retry_after=60,
            ) from error

    def post(self, event: Event) -> None:
        """Record without waiting, where no answer depends on it; a failure is logged."""
        self._recorder.post(event)
