"""API7:2023 Server Side Request Forgery: addresses that callers name lead to the public internet or nowhere."""

import pytest

from app.settings import Settings
from tests.api.conftest import Client
from tests.security.conftest import BODIES

INSIDE = [
    "http://127.0.0.1:8000/",
    "http://localhost/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://10.0.0.5/",
    "http://192.168.1.1/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://metadata.google.internal/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "http://user:pass@example.com/",
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As an installation has it: nothing private may be reached."""
    return settings.model_copy(update={"allow_private_targets": False})


@pytest.mark.parametrize("url", INSIDE)
async def test_webhooks_cannot_lead_inside(owner: Client, url: str) -> None:
    answer = await owner.post("/v1/webhook_endpoints", json={"url": url})
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("url", INSIDE[:9])
async def test_connections_cannot_lead_inside(owner: Client, url: str) -> None:
    engagement = (await owner.post("/v1/engagements", json=BODIES["create_engagement"])).json()["id"]
    path = f"/v1/engagements/{engagement}/connections/source"
    body = {"config": {"base_url": url}, "credentials": {"client_id": "a", "client_secret": "b"}}
    stored = await owner.put(path, json=body)
    tested = await owner.post(f"{path}/test")
    assert 400 <= stored.status_code < 500 or tested.status_code in (403, 409, 422, 502), (stored.text, tested.text)
    assert "ok" not in ((await owner.get(path)).json().get("state") or "")


async def test_a_changed_address_asks_for_the_credentials_again(owner: Client) -> None:
    """Whoever may edit a connection cannot have the stored secret sent elsewhere."""
    engagement = (await owner.post("/v1/engagements", json=BODIES["create_engagement"])).json()["id"]
    path = f"/v1/engagements/{engagement}/connections/source"
    secret = {"client_id": "a", "client_secret": "b"}
    first = await owner.put(path, json={"config": {"base_url": "https://one.example.com"}, "credentials": secret})
    if first.status_code == 200:
        moved = await owner.put(path, json={"config": {"base_url": "https://two.example.com"}})
        assert moved.status_code == 422, moved.text
    else:  # without a resolver the name itself is refused
        assert first.status_code == 422
