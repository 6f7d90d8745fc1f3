"""What can go wrong with embedded servers; each message says what the person can do next."""


class EmbeddedServersError(Exception):
    """The embedded servers cannot be used here."""


class AlreadyRunning(EmbeddedServersError):
    """Another process supervises the servers of this folder; attach to it, stop it, or name another folder."""


class ServersNotStarted(EmbeddedServersError):
    """A server ended, or did not get ready in time; the message carries the end of its log."""
