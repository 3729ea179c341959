"""Where webhooks may go."""

from __future__ import annotations

import pytest

from onegrid.errors import SettingsError
from registry.webhooks import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://system.example/hook?x=1",
        "https://10.0.0.7:8443/",
        "http://127.0.0.1:9000/hook",
        "http://[::1]:9000/",
        "http://localhost/hook",
        "http://gateway.local/hook",
    ],
)
def test_https_this_machine_and_named_hosts(url: str) -> None:
    assert check_url(url, ("gateway.local",)) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.local.evil/hook",
        "http://10.0.0.7/hook",
        "http://localhost.evil/",
        "http://127.0.0.1.evil/",
        "ftp://system.example/",
        "file:///etc/passwd",
        "https:///nowhere",
        "https://user:secret@system.example/",
        "https://secret@system.example/",
        "https://system.example:99999/",
        "https://system.example:0/",
        "https://system.example/a b",
        "https://system.example/\r\nHost: other",
        "https://system.example/#secret",
        "https://系统.example/",
        "https://[secret",
        "system.example",
        "",
    ],
)
def test_nothing_else_and_the_url_is_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_url(url, ("gateway.local",))
    assert "secret" not in str(refused.value)
