"""Poetry's own reader of a public index asks for JSON documents: the policy reaches it too."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.clients import Scratch, missing, program
from tests.end_to_end.gate import serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

_READ = """\
import json, sys
from poetry.core.constraints.version import Version
from poetry.core.packages.dependency import Dependency
from poetry.repositories.pypi_repository import PyPiRepository

index = PyPiRepository(url=sys.argv[1], disable_cache=True)
found = index.find_packages(Dependency("demo", ">=1"))
package = index.package("app", Version.parse("1.0"))
links = [link.url for link in index.find_links_for_package(package)]
wanted = [str(requirement) for requirement in package.requires]
print(json.dumps([[str(each.version) for each in found], wanted, links]))
"""


@pytest.mark.skipif(missing("poetry-newest") is not None, reason=str(missing("poetry-newest")))
def test_poetrys_reader_gets_what_passes_and_the_gates_addresses(
    upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    with serving(
        state=tmp_path / "state",
        policy=refusing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as gate:
        python = program("poetry-newest", "python")
        outcome = scratch.run(python, "-c", _READ, f"{gate.origin}/")
    assert outcome.exit_code == 0, outcome.output
    versions, wanted, links = json.loads(outcome.output)
    assert versions == ["1.0", "1.1"]
    assert wanted == ["demo"]
    assert links
    assert all(link.startswith(f"{gate.origin}/files/") for link in links)
