"""Credentials do not survive redaction."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@a.test/x", "https://***@a.test/x"),
        ("https://token@a.test/x", "https://***@a.test/x"),
        ("https://me:p@w@a.test/x", "https://***@a.test/x"),
        ("https://me:p/w@a.test/x", "https://***@a.test/x"),
        ("two: http://a:b@c/ and http://d:e@f/", "two: http://***@c/ and http://***@f/"),
        ("https://a.test/f?x=1&api_token=abc&y=2", "https://a.test/f?x=1&api_token=***&y=2"),
        ("https://a.test/f?X-Amz-Signature=abc#f", "https://a.test/f?X-Amz-Signature=***#f"),
    ],
)
def test_credentials_are_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.test:8080/simple/",
        "https://a.test/scope/@name",
        "https://[::1]:8080/x",
        "http://127.0.0.1:80",
        "mail me@a.test",
    ],
)
def test_text_without_credentials_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@given(st.text(alphabet=string.ascii_letters + string.digits + "@:%!$&;", min_size=1))
def test_no_password_is_left(password: str) -> None:
    secret = f"<{password}>"
    assert secret not in redact(f"cannot reach https://me:{secret}@a.test/simple/ now")
