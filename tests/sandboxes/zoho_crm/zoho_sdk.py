"""The official SDK as an independent client of a sandbox served over real HTTP (fact sheet section 20)."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server
from connectors.zoho_crm.sandbox import create_app


@contextmanager
def served(**options: str) -> Iterator[str]:
    """A sandbox on a free loopback port in a thread; gives its root URL."""
    running = server(create_app(SandboxConfig(options=options)), host="127.0.0.1", port=0)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        while not running.started:
            thread.join(0.01)
            assert thread.is_alive(), "the sandbox did not start"
        port = running.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(10)


def initialize(root: str, folder: Path) -> None:
    """Points the SDK, a global singleton, at the sandbox; its files go to `folder`."""
    from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

    os.makedirs(folder, exist_ok=True)
    environment = DataCenter.Environment(root, f"{root}/oauth/v2/token", root)
    token = OAuthToken(client_id="sandbox-client", client_secret="sandbox-secret", refresh_token="sandbox-refresh")
    store = FileStore(str(folder / "tokens.txt"))
    config = SDKConfig(auto_refresh_fields=False, pick_list_validation=False)
    Initializer.initialize(environment, token, store=store, sdk_config=config, resource_path=str(folder))


def body(response: Any) -> Any:
    """The data object of an answer; fails with the vendor's own words when it is an error."""
    assert response is not None
    found = response.get_object()
    if type(found).__name__ == "APIException":
        raise AssertionError(f"{found.get_code().get_value()}: {found.get_message()} {found.get_details()}")
    return found


def results(response: Any) -> list[Any]:
    """The per-item results of an action, all of them successes."""
    wrapper = body(response)
    getter = next(
        getattr(wrapper, name) for name in ("get_data", "get_fields", "get_modules") if hasattr(wrapper, name)
    )
    items: list[Any] = getter()
    for item in items:
        assert item.get_status().get_value() == "success", (item.get_code().get_value(), item.get_details())
    return items
