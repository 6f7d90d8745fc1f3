"""A client that lives through restarts: it asks again, with the same idempotency key, so nothing happens twice."""

import time
import uuid
from typing import Any

from app.demo.client import Answer, Client, NoAnswer, Refused

PATIENCE_SECONDS = 60.0
_PAUSE = 0.2
_PASSING = frozenset({500, 502, 503, 504})


class PatientClient(Client):
    """Like `Client`, but an answer of 5xx and a lost connection are asked again for a minute; `retried` counts them."""

    retried = 0

    def post(self, path: str, body: Any = None) -> Answer:
        """One idempotency key for all tries: a run that was accepted is accepted once. Raises Refused, NoAnswer."""
        return self._call("POST", path, body=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return super()._call(method, path, body=body, query=query, headers=headers)
            except NoAnswer:
                if time.monotonic() > deadline:
                    raise
            except Refused as refused:
                passing = refused.status in _PASSING or refused.code == "request-in-flight"
                if not passing or time.monotonic() > deadline:
                    raise
            self.retried += 1
            time.sleep(_PAUSE)
