"""The statements that make a new SQLite store are those of the tables in the code.

After a change of the tables write them anew: `python -m tests.proxy.store.test_tables`.
"""

from importlib import resources

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from indexgate.store.database import _REVISIONS, statements_for_sqlite
from indexgate.store.schema import metadata


def of_the_code() -> list[str]:
    """Return the statements as SQLAlchemy puts them together from the tables in the code."""
    made: list[CreateTable | CreateIndex] = []
    for table in (*metadata.sorted_tables, _REVISIONS):
        made.append(CreateTable(table))
        made += [
            CreateIndex(index) for index in sorted(table.indexes, key=lambda one: str(one.name))
        ]
    dialect = sqlite.dialect()
    return [str(one.compile(dialect=dialect)).strip().replace(" \n", "\n") for one in made]


def test_a_new_store_has_the_tables_of_the_code() -> None:
    assert statements_for_sqlite() == of_the_code()


if __name__ == "__main__":
    text = "".join(f"{statement};\n\n" for statement in of_the_code())
    with resources.as_file(resources.files("indexgate.store") / "tables.sql") as file:
        file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
