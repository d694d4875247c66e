import coupons
import pytest
from runs import COLLECTION, Runner

pytestmark = pytest.mark.keep
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


@pytest.fixture(scope="module")
def runner(solution, world, together, seed):
    return Runner(solution, world, together, seed)


@pytest.fixture(scope="module")
def first(runner):
    """The first run, alone: what is red when the API is right need not meet any other."""
    return runner.all([(runner.api(coupons.Coupons), False)])[0]


@pytest.fixture(scope="module")
def later(request, runner, first):
    """All other runs, mixed: the API of the first run again, another right one, and wrong ones.

    Half of them turn the collection round, so that this tells nothing either.
    """
    kinds = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = [values["kind"] for values in kinds]
    jobs = [(first.api, False, 1), (runner.api(coupons.Coupons), True)]
    jobs += [(runner.api(kind), number % 2 == 0) for number, kind in enumerate(wanted)]
    again, turned, *others = runner.all(jobs)
    return {"again": again, "turned": turned, **dict(zip(wanted, others, strict=True))}


# 1. A collection that runs anywhere


@pytest.mark.check(task="collection", points=1)
def test_is_a_collection(solution):
    """The file is a collection in the format v2.1."""
    collection = solution.json(COLLECTION)
    assert isinstance(collection, dict), "A collection is an object. Export it again from Postman."
    info = collection.get("info")
    schema = info.get("schema") if isinstance(info, dict) else None
    assert schema == SCHEMA, (
        "`info.schema` says in which format a collection is. Choose v2.1 when you export it, or "
        "write this address there."
    )
    got = [where for where, item in items(collection) if not isinstance(item, dict)]
    assert got == [], (
        "`item` is a list, and each of its items an object: a request, or a folder with a list "
        "`item` of its own."
    )
    requests = [where for where, item in items(collection) if "request" in item]
    assert len(requests) > 0, "There is no request in the collection yet."


@pytest.mark.check(task="collection", points=1, needs=["test_is_a_collection"])
def test_no_absolute_urls(solution):
    """Every request goes to {{baseUrl}}."""
    collection = solution.json(COLLECTION)
    got = {
        where: address(item["request"])
        for where, item in items(collection)
        if "request" in item and not address(item["request"]).startswith("{{")
    }
    assert got == {}, (
        "These requests go to one machine only. Let every URL begin with {{baseUrl}}, so that the "
        "same collection can test any server."
    )


def items(value, where=""):
    """Every item below a collection or folder, each with the names that lead to it."""
    inner = value.get("item", [])
    if not isinstance(inner, list):
        yield f"{where}item", None
        return
    for number, item in enumerate(inner, 1):
        name = item.get("name") if isinstance(item, dict) else None
        here = f"{where}{name or f'item {number}'}"
        yield here, item
        if isinstance(item, dict) and "item" in item:
            yield from items(item, f"{here} / ")


def address(request):
    """Where a request goes, as the collection has it: a text, or an object of parts."""
    url = request.get("url", "") if isinstance(request, dict) else request
    if not isinstance(url, dict):
        return str(url).strip()
    host = url.get("host", url.get("raw", ""))
    host = ".".join(map(str, host)) if isinstance(host, list) else str(host)
    return f"{url['protocol']}://{host}" if url.get("protocol") else host.strip()


# 2. Green when the API is right


@pytest.mark.check(task="green", points=2, seconds=120, needs=["test_no_absolute_urls"])
def test_green(first):
    """It is green when the API is right."""
    run = first.checked()
    assert run.failures == [], (
        "The API is right, and newman reports these failures. Compare what you expect with the "
        "description of the API. (It has other coupons in each run.)"
    )
    assert run.code == 0, "The API is right, and newman ended with another exit code than 0."
    assert run.requests > 0, "The collection made no request to {{baseUrl}}."
    assert run.assertions > 0, (
        "The collection asserts nothing, so it is green whatever the API does. Put pm.test(...) "
        "into the test scripts."
    )


@pytest.mark.check(task="green", points=2, seconds=300, needs=["test_green"])
def test_green_again(later):
    """It is green when it runs a second time."""
    run = later["again"].checked()
    assert run.failures == [], (
        "This was the second run on the same right API, which still has what the first run left "
        "there, and newman reports these failures. Let every run use codes of its own."
    )
    assert run.code == 0, "In its second run, newman ended with another exit code than 0."


@pytest.mark.check(task="green", points=2, seconds=300, needs=["test_green"])
def test_green_in_another_order(later):
    """It is green when its folders run from the last to the first."""
    run = later["turned"].checked()
    assert run.failures == [], (
        "The top-level items ran in the order from the last to the first, on a right API with "
        "other coupons, and newman reports these failures. What belongs together goes into one "
        "folder, and each folder makes what it needs."
    )
    assert run.code == 0, "Turned round, newman ended with another exit code than 0."


# 3. See what the answers say
#
# An id is seen before the title is: it says nothing.


@pytest.mark.check(
    task="answers",
    show="hidden",
    reveal_after=3,
    points=2,
    seconds=300,
    needs=["test_green_again", "test_green_in_another_order"],
)
@pytest.mark.parametrize(
    ("kind", "when"),
    [
        pytest.param(coupons.CreatedWithStatus200, "a new coupon gets status 200", id="a"),
        pytest.param(coupons.LocationLeadsNowhere, "Location leads nowhere", id="b"),
        pytest.param(coupons.NotSentAsJson, "Content-Type is not JSON's", id="c"),
    ],
)
def test_answers(later, kind, when):
    """It is red when {when}."""
    is_red(later[kind])


# 4. See what has happened


@pytest.mark.check(
    task="effects",
    show="hidden",
    reveal_after=3,
    points=2,
    seconds=300,
    needs=["test_green_again", "test_green_in_another_order"],
)
@pytest.mark.parametrize(
    ("kind", "when"),
    [
        pytest.param(coupons.StoredDifferently, "another percent is stored", id="a"),
        pytest.param(coupons.ChangeResets, "a change of one field resets another", id="b"),
        pytest.param(coupons.DeletedStays, "a deleted coupon is still there", id="c"),
        pytest.param(coupons.TotalOfThePage, "total counts one page only", id="d"),
    ],
)
def test_effects(later, kind, when):
    """It is red when {when}."""
    is_red(later[kind])


# 5. Try what is forbidden


@pytest.mark.check(
    task="rules",
    show="hidden",
    reveal_after=3,
    points=2,
    seconds=300,
    needs=["test_green_again", "test_green_in_another_order"],
)
@pytest.mark.parametrize(
    ("kind", "when"),
    [
        pytest.param(coupons.OneMorePercent, "91 percent are accepted", id="a"),
        pytest.param(coupons.OneMoreUse, "a coupon that is used up is redeemed", id="b"),
        pytest.param(coupons.OldTagIsTaken, "an old tag is accepted in If-Match", id="c"),
        pytest.param(coupons.NoKeyNeeded, "one operation needs no key", id="d"),
    ],
)
def test_rules(later, kind, when):
    """It is red when {when}."""
    is_red(later[kind])


def is_red(run):
    run.checked()
    assert run.api.wrongs > 0, (
        "The API was wrong here, and no request of the collection made it show that."
    )
    colour = "red" if run.red else "green"
    assert colour == "red", "One of the answers was wrong, and no assertion noticed it."
