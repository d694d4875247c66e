"""Hidden tests of indexing. They share one database, in which indexes.sql is run once."""

import pytest
from office import Office

pytestmark = pytest.mark.keep

PAGES, FEW_PAGES = 1.5, 8
"""A query may look at so many times as many pages as with fitting indexes, and so many more."""
FEW_ROWS = 50
"""So many rows may be fetched in vain."""
MOST_INDEXES = 6
BYTES, WRITTEN = 1.2, 1.2

ADVICE = {
    "login": "Does an index hold what the WHERE compares?",
    "track": "It goes through two tables: is each of them entered by an index?",
    "recent": "Can an index give one customer's parcels in the order that is asked for, so that "
    "reading ends after 20?",
    "queue": "Can an index give the waiting parcels of one depot in the order that is asked for, "
    "and no others?",
    "invoice": "The rows of one month lie in as many pages of the table. Can the answer come from "
    "an index alone?",
}


@pytest.fixture(scope="module")
def office(postgres, seed):
    return Office(postgres, seed)


@pytest.mark.check(task="cost", points=1, seconds=60)
def test_only_indexes(office, psql):
    """indexes.sql runs, and nothing but indexes changes."""
    psql.file("indexes.sql", timeout=30)
    changed = office.changed()
    assert not changed, (
        "indexes.sql may create and drop indexes. These things are new, gone or different, too: "
        + ", ".join(changed[:5])
        + "."
    )


def look(office, note, name, known):
    for values, got, best in office.readings(name, known):
        for variable, value in values.items():
            note(variable, value)
        assert got.rows == best.rows, f"queries/{name}.sql gives another answer than before."
        most = int(best.pages * PAGES) + FEW_PAGES
        assert got.pages <= most, (
            f"queries/{name}.sql looks at {got.pages} pages, and {most} should do. {ADVICE[name]}"
        )
        allowed = best.removed + FEW_ROWS
        assert got.removed <= allowed, (
            f"queries/{name}.sql fetches {got.removed} rows to throw them away; the index should "
            f"leave out what is not asked for. {ADVICE[name]}"
        )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("login", marks=pytest.mark.check(task="login")),
        pytest.param("track", marks=pytest.mark.check(task="track")),
        pytest.param("recent", marks=pytest.mark.check(task="recent")),
        pytest.param("queue", marks=pytest.mark.check(task="queue")),
        pytest.param("invoice", marks=pytest.mark.check(task="invoice")),
    ],
)
@pytest.mark.check(task="login", points=2, seconds=20, needs=["test_only_indexes"])
def test_known_values(office, note, name):
    """queries/{name}.sql looks at few pages with the values of try.sql."""
    look(office, note, name, known=True)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            "login",
            marks=pytest.mark.check(task="login", needs=["test_known_values[login]"]),
        ),
        pytest.param(
            "track",
            marks=pytest.mark.check(task="track", needs=["test_known_values[track]"]),
        ),
        pytest.param(
            "recent",
            marks=pytest.mark.check(task="recent", needs=["test_known_values[recent]"]),
        ),
        pytest.param(
            "queue",
            marks=pytest.mark.check(task="queue", needs=["test_known_values[queue]"]),
        ),
        pytest.param(
            "invoice",
            marks=pytest.mark.check(task="invoice", needs=["test_known_values[invoice]"]),
        ),
    ],
)
@pytest.mark.check(task="login", points=2)
def test_other_values(office, note, name):
    """queries/{name}.sql looks at few pages with other values, too."""
    look(office, note, name, known=False)


@pytest.mark.check(task="cost", points=1, needs=["test_known_values"])
def test_few_indexes(office):
    """There are few indexes."""
    names = [index["name"] for index in office.indexes()]
    assert len(names) <= MOST_INDEXES, (
        f"Apart from the primary keys there are {len(names)} indexes, and {MOST_INDEXES} are the "
        f"most. Which of these does no query need? {', '.join(sorted(names)[:30])}"
    )


@pytest.mark.check(task="cost", points=2, needs=["test_known_values"])
def test_size(office):
    """All indexes together are small."""
    indexes = office.indexes()
    size = sum(index["bytes"] for index in indexes)
    most = int(office.yardstick.bytes * BYTES)
    largest = ", ".join(f"{each['name']} {each['bytes'] / 1e6:.1f} MB" for each in indexes[:5])
    assert size <= most, (
        f"Your indexes take {size / 1e6:.1f} MB, and {most / 1e6:.1f} MB should do. Does each hold "
        f"only the rows and columns that a query needs? The largest: {largest}."
    )


@pytest.mark.check(task="cost", points=2, seconds=20, needs=["test_known_values"])
def test_writes_stay_cheap(office):
    """New rows are taken, and cost little."""
    written = office.written()
    most = int(office.yardstick.written * WRITTEN)
    assert written <= most, (
        f"Writing 22,000 rows adds {written / 1e6:.1f} MB to the write-ahead log, and "
        f"{most / 1e6:.1f} MB should do. Every index is written with every row: can one serve two "
        "queries, or hold fewer rows?"
    )
