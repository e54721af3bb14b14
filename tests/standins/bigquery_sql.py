"""The questions that the BigQuery stand-in understands: one SELECT from one table.

What it cannot do as BigQuery does is refused by name, never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from tests.standins.bigquery_table import Path, Scan, Table


class Declined(Exception):
    """What BigQuery answers instead of a result: an HTTP status, a reason and a message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(status, reason, message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def proto(self) -> dict[str, str]:
        """The error as jobs and bodies carry it."""
        return {"reason": self.reason, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question in DuckDB's words, and what it reads of its table."""

    sql: str
    parameters: dict[str, Any]
    table: Table
    scan: Scan


def question(sql: str, parameters: Mapping[str, Any], tables: Mapping[str, Table]) -> Question:
    """Read BigQuery's *sql*. Raises Declined."""
    tree = _parsed(sql)
    table = _table(tree, tables)
    scan = _scan(tree, table, parameters)
    if table.partition_required and scan.first is None and scan.last is None:
        message = (
            f"Cannot query over table '{table.reference}' without a filter over column(s) "
            f"'{table.partition}' that can be used for partition elimination"
        )
        raise Declined(400, "invalidQuery", message)
    return Question(
        sql=tree.sql(dialect="duckdb"),
        parameters={name: parameters[name] for name in _parameter_names(tree)},
        table=table,
        scan=scan,
    )


def _parsed(sql: str) -> exp.Select:
    try:
        trees = sqlglot.parse(sql, read="bigquery")
    except ParseError as error:
        raise Declined(400, "invalidQuery", f"Syntax error: {error}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise Declined(400, "invalidQuery", "stand-in: one SELECT only")
    tree = trees[0]
    for unsupported in (exp.Join, exp.Star, exp.Subquery, exp.With):
        for found in tree.find_all(unsupported):
            if not isinstance(found.parent, exp.Count):
                raise Declined(400, "invalidQuery", f"stand-in: no {unsupported.__name__}")
    return tree


def _table(tree: exp.Select, tables: Mapping[str, Table]) -> Table:
    named = next(iter(tree.find_all(exp.Table)))
    reference = ".".join(part.name for part in named.parts)
    if reference not in tables:
        raise Declined(404, "notFound", f"Not found: Table {reference} was not found")
    table = tables[reference]
    named.replace(exp.to_table(table.local_name))
    return table


def _parameter_names(tree: exp.Select) -> set[str]:
    return {node.name for node in tree.find_all(exp.Parameter)}


def _scan(tree: exp.Select, table: Table, parameters: Mapping[str, Any]) -> Scan:
    leaves = table.leaves
    known = {one["name"] for one in table.fields}
    read: set[Path] = set()
    aliases = {one.alias for one in tree.expressions}
    for column in tree.find_all(exp.Column):
        path = _path(column)
        under = {leaf for leaf in leaves if leaf[: len(path)] == path}
        if not under and path[0] not in aliases:
            shown = ".".join(path) if path[0] not in known else path[-1]
            raise Declined(400, "invalidQuery", f"Unrecognized name: {shown} at [1:1]")
        read |= under
    first = last = None
    clusters: frozenset[str] | None = None
    for wanted in _conjuncts(tree):
        column = wanted.this
        if not isinstance(column, exp.Column):
            continue
        if _path(column) == (table.partition,) and isinstance(wanted, exp.GTE | exp.LT):
            moment = _moment(wanted.expression)
            if isinstance(wanted, exp.GTE):
                first = moment.date()
            else:  # the bound itself is outside
                last = (moment - timedelta(microseconds=1)).date()
        elif _path(column) == (table.cluster,) and isinstance(wanted, exp.In):
            clusters = frozenset(
                name
                for parameter in wanted.find_all(exp.Parameter)
                for name in parameters.get(parameter.name, ())
            )
    return Scan(columns=frozenset(read), first=first, last=last, clusters=clusters)


def _path(column: exp.Column) -> Path:
    return tuple(part.name for part in column.parts)


def _conjuncts(tree: exp.Select) -> Iterator[exp.Expr]:
    where = tree.args.get("where")
    if where is not None:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else (where.this,)


def _moment(value: exp.Expr) -> datetime:
    text = value.this.name if isinstance(value, exp.Cast) else ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = "stand-in: a bound of the partition is not a literal"
        raise Declined(400, "invalidQuery", message) from error
    return moment.astimezone(UTC)
