"""The body of a request, read at the door and handed on to the endpoint that reads it once more."""

from connectors.sandboxkit.faults import Message, Receive


class BodyTooLarge(Exception):
    """More bytes came than the vendor takes."""


async def read_body(receive: Receive, most: int) -> bytes:
    """All bytes of a request, at most `most`; what came so far where the client is gone. Raises BodyTooLarge."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise BodyTooLarge
        parts.append(chunk)
        if not message.get("more_body", False):
            return b"".join(parts)


def handed_on(raw: bytes, rest: Receive) -> Receive:
    """Hands the body that was read once more, then whatever comes after it (a disconnect)."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return await rest()
        given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive
