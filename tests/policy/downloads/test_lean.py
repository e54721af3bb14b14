import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["classes", "people", "reference", "installers", "rule_table"])
def test_the_rules_can_be_read_without_numpy(module: str) -> None:
    program = f"import sys, indexgate_policy.downloads.{module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
