"""The parcel service's database: looked at, and measured with fitting indexes and the learner's."""

import random
import re
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

HERE = Path(__file__).parent
QUERIES = {path.stem: path.read_text() for path in (HERE / "queries").glob("*.sql")}
TABLES = ("customers", "parcels", "scans")
ANALYZE = f"ANALYZE {', '.join(TABLES)}"
LATER = 10_000
"""Parcels that are written to see what writing costs."""

EVERYTHING_ELSE = """
WITH ours AS (
    SELECT * FROM pg_class WHERE oid >= 16384 AND relkind NOT IN ('i', 't')
)
SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'v' THEN 'view ' ELSE 'relation ' END || relname,
    concat_ws(' ', oid, relkind, relfilenode, relpersistence, relrowsecurity, relforcerowsecurity,
        relhasrules, relhastriggers, reloptions)
FROM ours
UNION ALL
SELECT format('column %s.%s', relname, attname), concat_ws(' ', attnum, atttypid, attnotnull,
    atthasdef)
FROM pg_attribute JOIN ours ON attrelid = ours.oid WHERE attnum > 0
UNION ALL
SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE oid >= 16384 AND contype NOT IN ('u', 'x')
UNION ALL SELECT 'function ' || proname, '' FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT 'trigger ' || tgname, '' FROM pg_trigger WHERE oid >= 16384 AND NOT tgisinternal
UNION ALL SELECT 'rule ' || rulename, '' FROM pg_rewrite WHERE oid >= 16384
UNION ALL SELECT 'policy ' || polname, '' FROM pg_policy
UNION ALL SELECT 'operator ' || oprname, '' FROM pg_operator WHERE oid >= 16384
UNION ALL SELECT 'operator class ' || opcname, '' FROM pg_opclass WHERE oid >= 16384
UNION ALL SELECT 'type ' || typname, '' FROM pg_type WHERE oid >= 16384
UNION ALL SELECT 'schema ' || nspname, '' FROM pg_namespace WHERE oid >= 16384
UNION ALL
SELECT 'setting of the database: ' || unnest(setconfig), ''
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
WHERE datname = current_database()
"""
CONTENT = "SELECT count(*) AS rows, max(xmin::text::bigint) AS newest FROM {}"
"""What no statement leaves as it was that adds, changes or deletes a row."""
INDEXES = """
SELECT relname AS name, pg_relation_size(pg_class.oid) AS bytes
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid::regclass::text IN ('customers', 'parcels', 'scans') AND NOT indisprimary
ORDER BY bytes DESC, name
"""
UNSETTLED = "SELECT sum(relpages - relallvisible) FROM pg_class WHERE relname = ANY (%s)"
PATIENCE = 20
"""Seconds that a slow machine may need for that."""
WRITES = (
    """
    INSERT INTO customers (id, email, name)
    SELECT 40000 + n, 'New.' || n || '@post.example', 'New' FROM generate_series(1, %(n)s / 5) AS n
    """,
    """
    INSERT INTO parcels (id, code, customer_id, depot_id, status, sent_at, price)
    SELECT 200000 + n, upper(left(md5('new ' || n), 12)), 1 + floor(random() * 29000),
        1 + floor(random() * 12), 'waiting', timestamp '2026-01-01' + interval '3 minutes' * n, 500
    FROM generate_series(1, %(n)s) AS n
    """,
    """
    INSERT INTO scans (id, parcel_id, scanned_at, place)
    SELECT 200000 + n, 150001 - n, timestamp '2026-01-01' + interval '1 minute' * n, 'belt 1'
    FROM generate_series(1, %(n)s) AS n
    """,
)


@dataclass(frozen=True)
class Reading:
    """What one query gave and what it cost."""

    rows: list
    pages: int
    """Times that a page of 8 kB was looked at, in a table or an index."""
    removed: int
    """Rows that were fetched and then thrown away."""


def literals(query, values):
    """The query with `values` where psql's variables stand."""
    found = re.sub(r":'(\w+)'", lambda match: f"{{{match[1]}}}", query.replace(":explain", ""))
    return sql.SQL(found).format(**{name: sql.Literal(str(each)) for name, each in values.items()})


def read(connection, name, values):
    """Run a query for its rows, and once more for its cost."""
    query = literals(QUERIES[name], values)
    rows = [tuple(row.values()) for row in connection.execute(query).fetchall()]
    explain = sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ") + query
    plan = connection.execute(explain).fetchone()["QUERY PLAN"][0]["Plan"]
    return Reading(
        rows, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], round(removed_rows(plan))
    )


def removed_rows(plan):
    """Those of this step, told per loop, and of all below it."""
    here = sum(count for key, count in plan.items() if key.startswith("Rows Removed by"))
    below = sum(removed_rows(each) for each in plan.get("Plans", ()))
    return here * plan["Actual Loops"] + below


def written_bytes(connection, seed):
    """How much the write-ahead log grows by new rows, which do not stay.

    Raises psycopg.Error when the rows are refused.
    """
    total = 0
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT setseed(%s)", [seed])
        for insert in WRITES:
            row = connection.execute(
                "EXPLAIN (ANALYZE, WAL, FORMAT JSON) " + insert.replace("%(n)s", str(LATER))
            ).fetchone()
            total += row["QUERY PLAN"][0]["Plan"]["WAL Bytes"]
    return total


def settle(postgres):
    """VACUUM until every row is known to be visible to all, so that an index alone can answer.

    A worker of the server's own that looks at the database hinders it for a moment.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        postgres.execute(f"VACUUM {', '.join(TABLES)}")
        if postgres.value(UNSETTLED, [list(TABLES)]) == 0:
            return
        if time.monotonic() > deadline:
            raise psycopg.OperationalError("VACUUM does not get done with the tables")
        time.sleep(0.1)


def everything_else(postgres):
    """Name and description of everything in the database but indexes."""
    return {tuple(row.values()) for row in postgres.rows(EVERYTHING_ELSE)}


def content(postgres):
    return {table: postgres.one(CONTENT.format(table)) for table in TABLES}


class Yardstick:
    """What the queries and the writes cost with fitting indexes. Nothing of them stays."""

    def __init__(self, postgres, asked, seed):
        """`asked` are (query, values)."""
        settle(postgres)
        with postgres.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute((HERE / "yardstick.sql").read_text())
            connection.execute(ANALYZE)
            self.readings = [read(connection, name, values) for name, values in asked]
            self.indexes = connection.execute(INDEXES).fetchall()
            self.written = written_bytes(connection, seed)
        settle(postgres)  # the rows that did not stay

    @property
    def bytes(self):
        return sum(index["bytes"] for index in self.indexes)


def code_of(connection, parcel):
    row = connection.execute("SELECT code FROM parcels WHERE id = %s", [parcel]).fetchone()
    return row["code"]


def email_of(connection, customer, rng):
    """The customer's email, in other letters."""
    row = connection.execute("SELECT email FROM customers WHERE id = %s", [customer]).fetchone()
    return "".join(rng.choice((letter.upper(), letter.lower())) for letter in row["email"])


def documented():
    """The values in try.sql, for each query those that it names."""
    given = dict(re.findall(r"^\\set (\w+) '?([^'\n]+)'?$", (HERE / "try.sql").read_text(), re.M))
    return [
        (name, {each: given[each] for each in re.findall(r":'(\w+)'", query)})
        for name, query in sorted(QUERIES.items())
    ]


def others(postgres, rng):
    """Values that nobody knows before: shops, small customers, and what does not exist."""
    shops = [shop for shop in range(1, 11) if shop != 7]
    depots = [depot for depot in range(1, 13) if depot != 3]
    small = rng.sample(range(11, 29_000), 4)
    months = [f"2025-{month:02}-01" for month in rng.sample(range(2, 11), 3)]
    with postgres.connect() as connection:
        emails = [email_of(connection, each, rng) for each in rng.sample(range(10, 30_000), 3)]
        codes = [code_of(connection, each) for each in rng.sample(range(110_001, 150_000), 3)]
    return [
        *(("login", {"email": email}) for email in [*emails, "nobody@post.example"]),
        *(("track", {"code": code}) for code in [*codes, "NO SUCH CODE"]),
        *(("recent", {"customer": each}) for each in [*rng.sample(shops, 2), *small[:2], 29_990]),
        *(("queue", {"depot": each}) for each in [*rng.sample(depots, 3), 99]),
        ("invoice", {"customer": rng.choice(shops), "month": months[0]}),
        ("invoice", {"customer": rng.choice(shops), "month": months[1]}),
        ("invoice", {"customer": small[2], "month": months[2]}),
        ("invoice", {"customer": small[3], "month": "2031-01-01"}),
    ]


class Office:
    """The database as the learner's indexes.sql leaves it, and what it was like before."""

    def __init__(self, postgres, seed):
        rng = random.Random(f"indexing {seed}")
        self._postgres = postgres
        self._seed = rng.uniform(-1, 1)
        self._asked = [*documented(), *others(postgres, rng)]
        self._yardstick = Yardstick(postgres, self._asked, self._seed)
        self._rest, self._content = everything_else(postgres), content(postgres)
        self._readings = None

    @property
    def yardstick(self):
        return self._yardstick

    def changed(self):
        """What is another than before, apart from indexes."""
        rest = everything_else(self._postgres)
        if rest != self._rest:
            return sorted({name for name, _ in rest ^ self._rest})
        now = content(self._postgres)  # nothing here can run what the learner wrote
        return [f"rows of {table}" for table in TABLES if now[table] != self._content[table]]

    def readings(self, name, known):
        """(values, the learner's reading, the yardstick's) of one query."""
        if self._readings is None:
            self._postgres.execute(ANALYZE)  # an index on an expression has statistics, too
            with self._postgres.connect() as connection:
                self._readings = [read(connection, *each) for each in self._asked]
        count = len(documented())
        found = zip(self._asked, self._readings, self._yardstick.readings, strict=True)
        part = list(found)[:count] if known else list(found)[count:]
        return [(values, got, best) for (query, values), got, best in part if query == name]

    def indexes(self):
        return self._postgres.rows(INDEXES)

    def written(self):
        """Bytes of the write-ahead log; the check fails when new rows are refused."""
        with self._postgres.connect() as connection:
            try:
                return written_bytes(connection, self._seed)
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                said = error.diag.message_primary or str(error)
                raise AssertionError(
                    "New rows are refused since your indexes are there. Is one UNIQUE that should "
                    f"not be?\nPostgreSQL says: {said}"
                ) from None
