"""Asks an OpenAI-compatible endpoint for a second opinion: off unless an address is set, and a failure means none."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import orjson
import structlog

from app.domain.matching.opinion import Question, read_answers, request_body
from app.outbound import Outbound, OutboundFailed
from app.settings import Settings

log = structlog.get_logger()

PER_CALL = 25
MOST_QUESTIONS = 200
KEPT_ANSWERS = 5_000


_opinions: dict[tuple[str | None, str], "SecondOpinion"] = {}


def opinion_of(settings: Settings) -> "SecondOpinion":
    """The endpoint of these settings, the same one each time, so that its answers are kept."""
    key = (settings.opinion_url, settings.opinion_model)
    if key not in _opinions:
        _opinions[key] = SecondOpinion(settings)
    return _opinions[key]


class SecondOpinion:
    """One endpoint with the answers it has given; they are asked for once per process."""

    def __init__(self, settings: Settings, outbound: Outbound | None = None) -> None:
        self._url = settings.opinion_url
        self._key = settings.opinion_key.get_secret_value() if settings.opinion_key else ""
        self._model = settings.opinion_model
        self._seconds = settings.opinion_seconds
        self._outbound = outbound or Outbound(
            allow_loopback=settings.allow_private_targets, total=settings.opinion_seconds
        )
        self._answers: OrderedDict[tuple[str, str], str] = OrderedDict()

    @property
    def wanted(self) -> bool:
        return bool(self._url)

    async def ask(self, questions: Sequence[Question]) -> dict[str, str]:
        """Question id → answer, as far as there is one in time; never raises."""
        questions = list(questions)[:MOST_QUESTIONS]
        known = {one.id: found for one in questions if (found := self._answers.get((self._model, one.id))) is not None}
        open_ones = [one for one in questions if one.id not in known]
        if not self.wanted or not open_ones:
            return known
        try:
            async with asyncio.timeout(self._seconds):
                for start in range(0, len(open_ones), PER_CALL):
                    known |= await self._call(open_ones[start : start + PER_CALL])
        except (TimeoutError, OutboundFailed, ValueError) as failed:
            reason = failed.reason if isinstance(failed, OutboundFailed) else type(failed).__name__
            log.warning("second_opinion_missing", reason=reason, questions=len(open_ones))
        return known

    async def _call(self, questions: Sequence[Question]) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        body = orjson.dumps(request_body(questions, self._model))
        answer = await self._outbound.post(f"{(self._url or '').rstrip('/')}/chat/completions", headers, body)
        if answer.status != 200:
            raise OutboundFailed(f"status_{answer.status}")
        found = read_answers(answer.body, questions)
        for key, value in found.items():
            self._answers[self._model, key] = value
        while len(self._answers) > KEPT_ANSWERS:
            self._answers.popitem(last=False)
        return found
