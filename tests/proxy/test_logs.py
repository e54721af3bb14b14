"""The log is one line an event, without credentials, and leaves other people's loggers alone."""

import io
import json
import logging

import pytest

from indexgate import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_lines_have_time_level_part_and_data() -> None:
    stream = io.StringIO()
    logs.configure(form="json", level="info", stream=stream, environ={})
    logs.logger("upstream").info("page-fetched", project="demo", bytes=12)
    event = json.loads(stream.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "page-fetched",
        "level": "info",
        "part": "upstream",
        "project": "demo",
        "bytes": 12,
    }


def test_text_lines_have_what_happened_first_and_the_rest_by_name() -> None:
    stream = io.StringIO()
    logs.configure(form="text", level="info", stream=stream, environ={})
    logs.logger("upstream").info("page-fetched", project="demo", client="a b", bell="\a", bytes=1)
    moment, rest = stream.getvalue().split(" ", 1)
    assert moment.endswith("Z")
    assert rest == (
        "[info     ] page-fetched                   bell='\\x07' bytes=1 client='a b'"
        " part=upstream project=demo\n"
    )


def test_a_stream_that_takes_nothing_is_no_failure() -> None:
    stream = io.StringIO()
    logs.configure(form="text", level="info", stream=stream, environ={})
    stream.close()
    logs.logger("x").info("unheard")


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_credential_reaches_the_log(form: str) -> None:
    stream = io.StringIO()
    logs.configure(
        form="json" if form == "json" else "text", level="info", stream=stream, environ={}
    )
    url = "https://me:hunter2@a.test/"
    try:
        int(url)  # its ValueError quotes the text
    except ValueError as error:
        logs.logger("x").exception(f"failed at {url}", url=url, deep={"in": [url]}, error=error)
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("***@a.test") >= 5


def test_messages_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    logs.configure(form="json", level="warning", stream=stream, environ={})
    logs.logger("x").info("small")
    logs.logger("x").warning("large")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["large"]


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_without_no_color(
    stream: io.StringIO, environ: dict[str, str], coloured: bool
) -> None:
    logs.configure(form="text", level="info", stream=stream, environ=environ)
    logs.logger("x").info("event")
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_loggers_of_libraries_stay_as_they_are() -> None:
    before = list(logging.getLogger().handlers), logging.getLogger().level
    logs.configure(form="text", level="debug", stream=io.StringIO(), environ={})
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before
