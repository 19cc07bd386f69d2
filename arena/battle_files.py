"""Battles from JSONL files, read and added up in DuckDB: our own lines, and the vote logs of FastChat and arena-rank.

A file may hold exclusion lines too (``battle_id`` and ``reason``): the battles that they name are left out, unless a later
line (``battle_id`` and ``restored``, by its ``tstamp``) takes that back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.languages import DETECT, detected, language_sql, prompt_sql
from arena.ratings.counts import Floats, Ints, PairCounts
from llmuses.errors import DataError
from llmuses.records import HUMAN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COLUMNS = {
    "model_a": "VARCHAR",
    "model_b": "VARCHAR",
    "winner": "VARCHAR",
    "win": "VARCHAR",
    "reason": "VARCHAR",
}
"""What every rating reads; the wider a line is read, the longer it takes."""

_MORE = {
    "judge": "VARCHAR",
    "battle_id": "VARCHAR",
    "comparison_id": "VARCHAR",
    "question_id": "VARCHAR",
    "category": "VARCHAR",
    "language": "VARCHAR",
    "question": "VARCHAR",
    "output_a": "VARCHAR",
    "output_b": "VARCHAR",
    "voter": "VARCHAR",
    "anony": "BOOLEAN",
    "policy": "VARCHAR",
    "pair_probability": "DOUBLE",
    "tstamp": "DOUBLE",
}
"""What some ratings read as well. Other programs' names for them are in ``_ALIASES``."""

_ALIASES = {
    "question_id": ("question_hash",),
    "voter": ("judge_hash", "user_id"),
    "question": ("prompt", "instruction", "conversation"),
    "output_a": ("response_a", "conversation_a"),
    "output_b": ("response_b", "conversation_b"),
}

OUTCOMES = {
    "model_a": 0, "a": 0, "model_b": 1, "b": 1, "tie": 2, "both_bad": 2, "bothbad": 2, "tie (bothbad)": 2,
    "tie (both_bad)": 2,
}  # fmt: skip
"""The winner as files spell it: 0 the first model, 1 the second, 2 neither."""


_PERSON = "arena_user_"
_A_PERSON = f"starts_with(judge, '{_PERSON}')"
"""FastChat's logs name the person as the judge."""


def is_person(judge: str) -> bool:
    """Return whether a log's judge is a person."""
    return judge == HUMAN or judge.startswith(_PERSON)


class Selection(NamedTuple):
    """Which battles are taken: those of one judge (``human`` for people's), of one category, in one language, those in
    which the names were hidden. None and False take all."""

    judge: str | None = None
    category: str | None = None
    language: str | None = None
    blind_only: bool = False

    @property
    def columns(self) -> set[str]:
        """Return the columns beyond the usual ones that deciding it needs."""
        wanted = {
            "judge": self.judge,
            "category": self.category,
            "language": self.language,
            "anony": self.blind_only or None,
        }
        return {name for name, value in wanted.items() if value is not None}


class Derived(NamedTuple):
    """A column that is computed while lines are read, so that long texts need not be kept: an expression in SQL, in which
    {question} is the column of this name, the columns that it speaks of, and its type."""

    expression: str
    sources: tuple[str, ...]
    kind: str = "UBIGINT"


class Skipped(NamedTuple):
    """Lines that are no battle: not JSON or without models, with a winner that is no known word, a model against itself,
    and battles that an exclusion line takes out."""

    unreadable: int = 0
    no_winner: int = 0
    same_model: int = 0
    excluded: int = 0


class BattleTable:
    """The selected battles of some files: counted in the database, or handed out as arrays.

    ``names`` are the models' names in alphabetical order; everything else speaks of models by their place in it.
    """

    def __init__(self, connection: DuckDBPyConnection, columns: Mapping[str, str], skipped: Skipped):
        self._connection = connection
        self._columns = columns
        self._weighed = False
        self.skipped = skipped
        self.names: list[str] = [row[0] for row in self._rows("SELECT name FROM models ORDER BY id")]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    @property
    def weighed(self) -> bool:
        """Return whether battles have weights (see ``weigh``)."""
        return self._weighed

    def weigh(self, row: Ints, factor: Floats) -> None:
        """Multiply the weights of battles, which are 1 before: ``row`` as ``arrays`` gave it, both of shape (N,).

        From then on ``counts`` adds up weights, and ``arrays`` has ``weight`` among its columns. Raises KeyError where no
        column was asked for: equal battles are one row then.
        """
        if _alike(self._columns):
            raise KeyError("battles can be weighed where a column beyond the judge was asked for")
        if not self._weighed:
            self._connection.execute("ALTER TABLE battles ADD COLUMN weight DOUBLE DEFAULT 1")
            self._weighed = True
        self._connection.register("factors", {"place": row, "factor": factor})
        self._connection.execute(
            "UPDATE battles SET weight = weight * factor FROM factors WHERE battles.rowid = factors.place"
        )
        self._connection.unregister("factors")

    def counts(self, where: str = "true", parameters: Sequence[object] = (), power: int = 1) -> PairCounts:
        """Return the battles added up; ``where`` is a condition in SQL on the columns that were asked for.

        Weights are added up to this power where battles have any: to the second for the variance of weighted sums.
        """
        amount = f"weight ** {power}" if self._weighed else "n"
        some = "AND weight > 0" if self._weighed else ""
        sql = f"""
            SELECT least(a, b) AS first, greatest(a, b) AS second,
                sum({amount}) FILTER (outcome = (a > b)::TINYINT) AS wins,
                sum({amount}) FILTER (outcome = (a < b)::TINYINT) AS losses,
                sum({amount}) FILTER (outcome = 2) AS ties
            FROM battles WHERE {where} {some} GROUP BY ALL ORDER BY ALL"""
        found = self._connection.execute(sql, list(parameters)).fetchnumpy()
        numbers = [_filled(found[name]) for name in ("wins", "losses", "ties")]
        first, second = (np.asarray(found[name], np.int64) for name in ("first", "second"))
        return PairCounts(len(self.names), first, second, *numbers)

    def arrays(self, *names: str, where: str = "true", values: Sequence[object] = ()) -> dict[str, NDArray[Any]]:
        """Return columns as arrays, one entry a battle: ``a``, ``b`` (places in ``names``), ``outcome`` (0, 1, 2) and those
        named. Texts come as codes: numbers that are equal where the texts are; a missing one is equal to no other. ``row``
        is what ``weigh`` knows a battle by. Battles without weight are left out."""
        own = {"row": "rowid AS row", "weight": "weight" if self._weighed else "n::DOUBLE AS weight"}
        chosen = "".join(f", {own.get(name) or self._code(name)}" for name in names)
        some = "AND weight > 0" if self._weighed else ""
        sql = f"SELECT a, b, outcome{chosen} FROM battles WHERE {where} {some}"
        return {
            name: np.asarray(column)
            for name, column in self._connection.execute(sql, list(values)).fetchnumpy().items()
        }

    def _code(self, name: str) -> str:
        if name not in self._columns:
            raise KeyError(f"column {name} was not asked for")
        if self._columns[name] != "VARCHAR":
            return name
        return f"CASE WHEN {name} IS NULL THEN hash(rowid, 'missing') ELSE hash({name}) END AS {name}"

    def texts(self, *names: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Return columns as they are, one tuple a battle, in the order named; ``row``, ``a``, ``b`` and ``weight``
        may be among them."""
        own = {"row": "rowid", "a": "a", "b": "b", "weight": "weight" if self._weighed else "n"}
        for name in names:
            if name not in own and name not in self._columns:
                raise KeyError(f"column {name} was not asked for")
        return self._rows(f"SELECT {', '.join(own.get(name, name) for name in names)} FROM battles WHERE {where}")

    def values(self, name: str) -> list[tuple[str, int]]:
        """Return the different values of a column with how many battles have each, the commonest first."""
        if name not in self._columns:
            raise KeyError(f"column {name} was not asked for")
        return self._rows(f"SELECT {name}, sum(n) AS n FROM battles GROUP BY ALL HAVING {name} IS NOT NULL "
                          "ORDER BY n DESC, 1")  # fmt: skip


def _alike(columns: Iterable[str]) -> bool:
    """Return whether battles with these columns are few different ones, so that equal ones are kept as one row."""
    return set(columns) <= {"judge"}


def _filled(column: Any) -> Floats:
    """Return a column of sums, with 0 where nothing was summed."""
    return np.asarray(np.ma.filled(column.astype(np.float64), 0.0), np.float64)


@contextmanager
def open_battles(
    paths: Sequence[Path | str],
    selection: Selection | None = None,
    columns: Sequence[str] = (),
    derived: Mapping[str, Derived] | None = None,
) -> Iterator[BattleTable]:
    """Read battles once and yield them as a table in memory: who met, who won, the columns that are named, and derived ones.

    A file that is named twice is read once. Raises DataError for a file that does not exist, or where no line is a battle.
    """
    import duckdb

    files = list({Path(path).resolve(): Path(path) for path in paths}.values())
    for path in files:
        if not path.is_file():
            raise DataError(f"{path}: there is no such file of battles.")
    chosen = selection or Selection()
    wanted = {*columns, *chosen.columns}
    with duckdb.connect() as connection:
        more = dict(derived or {})
        skipped = _read(connection, files, chosen, wanted, more)
        kinds = {name: _MORE[name] for name in wanted} | {name: column.kind for name, column in more.items()}
        table = BattleTable(connection, kinds, skipped)
        if not table.names:
            raise DataError(
                f"{', '.join(map(str, files))}: no line is a battle that was asked for; a battle has model_a, model_b and "
                "winner (model_a, model_b, tie or both_bad)."
            )
        yield table


def _read(
    connection: DuckDBPyConnection,
    files: Sequence[Path],
    selection: Selection,
    wanted: set[str],
    derived: Mapping[str, Derived],
) -> Skipped:
    """Fill the tables ``battles`` and ``models``."""
    excluded = _read_lines(connection, files, wanted, derived)
    if excluded and "battle_id" not in wanted:  # rare: only then is every battle's own id worth reading
        _read_lines(connection, files, wanted | {"battle_id"}, derived)
    conditions = _conditions(selection)
    if excluded:
        connection.execute(_TAKEN_OUT)
        conditions.append("battle_id NOT IN (SELECT battle_id FROM taken_out)")
    marks = ", ".join(("excludes", *(_MARKS if excluded or "battle_id" in wanted else ())))
    kept = " AND ".join(["outcome IS NOT NULL", "model_a != model_b", *conditions])
    connection.execute(f"CREATE TEMP VIEW kept AS SELECT * EXCLUDE ({marks}) FROM raw WHERE {kept}")
    connection.execute("""
        CREATE TEMP TABLE models AS SELECT name, (row_number() OVER (ORDER BY name) - 1)::INTEGER AS id
        FROM (SELECT model_a AS name FROM kept UNION SELECT model_b FROM kept)""")
    connection.execute("""
        CREATE TEMP TABLE battles AS SELECT kept.* EXCLUDE (model_a, model_b), one.id AS a, two.id AS b
        FROM kept JOIN models AS one ON one.name = model_a JOIN models AS two ON two.name = model_b""")
    taken_out = "outcome IS NOT NULL AND battle_id IN (SELECT battle_id FROM taken_out)" if excluded else "false"
    (numbers,) = connection.execute(f"""
        SELECT coalesce(sum(n) FILTER ((model_a IS NULL OR model_b IS NULL) AND NOT excludes), 0),
            coalesce(sum(n) FILTER (model_a IS NOT NULL AND model_b IS NOT NULL AND outcome IS NULL), 0),
            coalesce(sum(n) FILTER (model_a = model_b), 0), coalesce(sum(n) FILTER ({taken_out}), 0) FROM raw""").fetchall()
    connection.execute("DROP VIEW kept")
    connection.execute("DROP TABLE IF EXISTS taken_out")
    connection.execute("DROP TABLE raw")
    return Skipped(*(int(number) for number in numbers))


_MARKS = ("restored", "redacted", "said_at")
"""What of the lines that exclude is read beside the battles' ids. ``said_at`` is their ``tstamp``."""

_TAKEN_OUT = """
    CREATE TEMP TABLE taken_out AS SELECT battle_id FROM raw WHERE excludes AND battle_id IS NOT NULL GROUP BY battle_id
    HAVING coalesce(bool_or(redacted), false) OR max(said_at) FILTER (restored IS NULL)
        > coalesce(max(said_at) FILTER (restored IS NOT NULL), -1)"""


def _read_lines(
    connection: DuckDBPyConnection, files: Sequence[Path], wanted: set[str], derived: Mapping[str, Derived]
) -> bool:
    """Fill the table ``raw``: lines that are alike in all that is wanted become one, ``n`` says how many. Return whether
    there are exclusion lines."""
    columns = dict(_COLUMNS)
    sources = wanted.union(*(column.sources for column in derived.values()))
    sources |= {"question"} if "language" in sources else set()
    sources |= {"judge"} if "voter" in sources else set()
    for name in sorted(sources):
        columns[name] = _MORE[name]
        columns.update(dict.fromkeys(_ALIASES.get(name, ()), _MORE[name]))
    marked = "battle_id" in wanted
    if marked:
        columns |= {"restored": "VARCHAR", "redacted": "BOOLEAN", "tstamp": "DOUBLE"}
    lines = connection.read_json(
        [str(path) for path in files], columns=columns, format="newline_delimited", ignore_errors=True
    )
    lines.create_view("lines", replace=True)
    outcome = (
        "CASE lower(coalesce(winner, win)) " + " ".join(f"WHEN '{w}' THEN {c}" for w, c in OUTCOMES.items()) + " END"
    )
    whole = {name: f"coalesce({', '.join((name, *_ALIASES.get(name, ())))})" for name in sources}
    if "judge" in whole:
        whole["judge"] = f"CASE WHEN {_A_PERSON} THEN '{HUMAN}' ELSE coalesce(judge, '{HUMAN}') END"
    if "voter" in whole:
        whole["voter"] = f"coalesce({whole['voter']}, CASE WHEN {_A_PERSON} THEN judge END)"
    read = "lines"
    if "language" in whole:
        whole["language"] = language_sql(whole["language"], "prompt_text")
    more = "".join(f", {whole[name]} AS {name}" for name in sorted(wanted))
    more += "".join(f", ({column.expression.format(**whole)}) AS {name}" for name, column in derived.items())
    more += ", restored, redacted, coalesce(tstamp, 0) AS said_at" if marked else ""
    says = "coalesce(reason, restored)" if marked else "reason"
    chosen = f"""model_a, model_b, coalesce(model_a, model_b) IS NULL AND {says} IS NOT NULL AS excludes,
        ({outcome})::TINYINT AS outcome{more}"""
    if "language" in whole:
        _teach_languages(connection)
        read = f"(SELECT *, {prompt_sql(whole['question'])} AS prompt_text FROM lines)"
    if not _alike([*wanted, *derived]):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {chosen}, 1 AS n FROM {read}")
    else:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT {chosen}, count(*) AS n FROM {read} GROUP BY ALL"
        )
    ((found,),) = connection.execute("SELECT bool_or(excludes) FROM raw").fetchall()
    return bool(found)


def _teach_languages(connection: DuckDBPyConnection) -> None:
    """Give the database the function that tells languages, once."""
    from duckdb.func import SPECIAL
    from duckdb.sqltypes import VARCHAR

    known = connection.execute("SELECT 1 FROM duckdb_functions() WHERE function_name = ?", [DETECT]).fetchall()
    if not known:  # lines are read twice where exclusion lines are among them
        connection.create_function(DETECT, detected, [VARCHAR], VARCHAR, null_handling=SPECIAL)


def _conditions(selection: Selection) -> list[str]:
    """Return the selection as conditions in SQL; values are quoted, since a view takes no parameters."""
    quoted = {name: getattr(selection, name) for name in ("judge", "category", "language")}
    conditions = [
        "{} = '{}'".format(name, value.replace("'", "''")) for name, value in quoted.items() if value is not None
    ]
    return [*conditions, "coalesce(anony, true)"] if selection.blind_only else conditions
