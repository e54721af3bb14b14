"""Who is fetched ahead for."""

from typing import NamedTuple

from indexgate.finished_page import Variant
from indexgate.simple.accept import Coding, Form
from indexgate_policy.subject import Client


class Asker(NamedTuple):
    """A client, as far as requests tell it from others. Kept in memory only, and not for long."""

    remote: str
    agent: str
    run: str | None
    client: Client

    @property
    def usual(self) -> Variant:
        """The form of pages that it asks for, as long as it has not asked for one."""
        return Variant(form=Form.JSON, coding=Coding.GZIP, for_uv=self.client.family == "uv")
