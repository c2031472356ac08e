"""What goes wrong and is told in one or two lines, without a traceback."""


class Problem(Exception):
    """Ends the command: says `message`, exits with `status`."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
