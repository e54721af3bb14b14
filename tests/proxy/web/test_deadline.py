"""What is said when an answer took too long."""

import pytest

from indexgate.index.trace import Trace, follow
from indexgate.web.deadline import late


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        (11.5, "did not answer within 12 s"),
        (0.4, "is not to blame: the gate itself was not done within 12 s, it is busy"),
    ],
)
def test_who_took_the_time_is_named(upstream: float, said: str) -> None:
    request = Trace("some-request")
    request.upstream = upstream
    follow(request)
    assert late().reason == said
