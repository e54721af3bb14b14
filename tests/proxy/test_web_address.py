"""One spelling for every address of a service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate import web_address
from indexgate.web_address import Credentials


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.test/simple/", "https://a.test/simple/"),
        ("https://a.test/simple", "https://a.test/simple/"),
        ("https://a.test/simple///", "https://a.test/simple/"),
        ("HTTPS://A.Test:443/Simple", "https://a.test/Simple/"),
        ("http://a.test:80", "http://a.test/"),
        ("http://a.test:443", "http://a.test:443/"),
        ("https://me:pw@a.test:8443/x", "https://a.test:8443/x/"),
        ("http://[::1]:3141/root/pypi", "http://[::1]:3141/root/pypi/"),
        ("https://münchen.test/", "https://xn--mnchen-3ya.test/"),
        ("https://a.test/ü/%20", "https://a.test/%C3%BC/%20/"),
    ],
)
def test_spellings_of_one_address_become_one(text: str, url: str) -> None:
    assert web_address.parse(text).url == url
    assert web_address.parse(url).url == url


def test_credentials_are_taken_apart_and_unquoted() -> None:
    address = web_address.parse("https://me:p%40ss@a.test/")
    assert address.credentials == Credentials(user="me", password="p@ss")
    assert "p@ss" not in repr(address)
    assert web_address.parse("https://token@a.test/").credentials == Credentials(
        user="token", password=""
    )


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("", "does not begin"),
        ("a.test/simple", "does not begin"),
        ("file:///srv/simple", "does not begin"),
        ("https:///simple", "names no host"),
        ("https://a..test:x/", "host or port"),
        ("https://a.test:99999/", "host or port"),
        ("https://-a.test/", "not a host name"),
        ("https://a_b!.test/", "not a host name"),
        ("https://a.test/?x=1", "query"),
        ("https://a.test/#x", "query or a fragment"),
        ("https://a.test/\r\nHost: b", "control characters"),
        ("https://a.test/\x07", "control characters"),
        ("https://a.test/\n", "control characters"),
        ("https://a.test\\@b.test/", "backslashes"),
        ("https://" + "a" * 3000, "longer than"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, clause: str) -> None:
    with pytest.raises(ValueError, match=clause):
        web_address.parse(text)


@given(st.text(max_size=80) | st.text(max_size=60).map("https://{}".format))
def test_any_text_is_an_address_or_refused_and_one_reading_is_final(text: str) -> None:
    try:
        address = web_address.parse(text)
    except ValueError:
        return
    again = web_address.parse(address.url)
    assert again.url == address.url
    assert again.credentials is None
