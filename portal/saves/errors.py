"""What can be wrong with a save or with an edit of it, as sentences for the player."""

from portal.errors import PortalError

DAMAGED = "Take a backup of the file, or save once more in the game."
OTHER_FILE = "Choose the file that the game wrote."
UNCHANGED = "Nothing was changed."


class SaveError(PortalError):
    """The file cannot be read, or a change of it cannot be written (422)."""

    status = 422


class WrongToolError(SaveError):
    """A good file, but another tool's; `tool` is the name of the one that reads it."""

    def __init__(self, sentence: str, tool: str) -> None:
        super().__init__(sentence, "Open it with the other tool.")
        self.tool = tool


class EditError(SaveError):
    """An edit that is not understood or not allowed (400); nothing was changed."""

    status = 400

    def __init__(self, sentence: str, advice: str = UNCHANGED) -> None:
        super().__init__(sentence, advice)


def damaged(what: str, at: int) -> SaveError:
    """The save's binary part is broken: `what` is wrong at byte `at` of it."""
    return SaveError(f"The save is damaged: {what} at byte {at}.", DAMAGED)
