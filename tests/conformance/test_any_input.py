"""Whatever stands in a header or on a page: an answer, never a fault."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexgate.simple import read, write
from indexgate.simple.accept import Coding, Form, choose, coding
from tests.conformance.catalogue import JSON_TYPE, PLAIN
from tests.conformance.requirements import holds


@holds("B23")
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80), st.text(alphabet='*/;=,q.01 "\\ textapplicn+json', max_size=80))
def test_any_line_is_answered(one: str, other: str) -> None:
    assert choose([one, other]) in {None, *Form}
    assert choose([other], one) in {None, *Form}
    assert coding([one, other]) in set(Coding)


@holds("Q141", "F67")
def test_a_page_of_200_000_files_is_read_and_written() -> None:
    names = [f"plain-{n // 250}.{n % 250}-py3-none-any.whl" for n in range(200_000)]
    files = ",".join(
        f'{{"filename":"{name}","url":"https://f.example.test/{name}","hashes":{{}}}}'
        for name in names
    )
    body = f'{{"meta":{{"api-version":"1.0"}},"name":"plain","files":[{files}]}}'.encode()
    page = read.page(
        body,
        content_type=JSON_TYPE,
        url="https://a.example.test/simple/plain/",
        project=PLAIN.normalized,
    )
    assert [file.filename for file in page.files] == names
    assert write.html(page).count(b"<a href=") == len(names)
