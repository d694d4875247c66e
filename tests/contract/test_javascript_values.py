"""What crosses between a test and JavaScript: values both ways, what is thrown, what is found."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
import queue
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from grader import shipped
from grader.agent import wire
from grader.agent.interpreters import Interpreter, Zygote
from grader.judge.client import HandleNumber

NODE = shutil.which("node")
pytestmark = [
    pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(not NODE, reason="no node on this machine"),
]
GIVES = r"""
const cycle = []; cycle.push(cycle);
class Money { constructor(cents) { this.cents = cents; } }
export const values = {
  nothing: () => null, missing: () => undefined, yes: () => true, text: () => "ä\u{1F98A}\0",
  integer: () => -7, whole: () => 3.0, half: () => 1.5, nan: () => NaN, less: () => -Infinity,
  zero: () => -0, edge: () => 2 ** 53 - 1, past: () => 2 ** 60, large: () => 1e300,
  big: () => -(2n ** 70n), small: () => 5n,
  list: () => [1, [undefined, "x"]], holes: () => [, 1], object: () => ({ a: { b: [] } }),
  dollar: () => ({ $: "float", v: "1" }), proto: () => JSON.parse('{"__proto__": 1}'),
  bare: () => Object.assign(Object.create(null), { a: 1 }),
  map: () => new Map([[1, "one"], ["two", 2]]), set: () => new Set(["a", 1]),
  bytes: () => Buffer.from([0, 255]), buffer: () => new Uint8Array([1, 2]).buffer,
  floats: () => new Float64Array([0.5, NaN]),
  moment: () => new Date("2026-03-01T12:30:00.250Z"),
  keys: () => new Map([["a", 1]]).keys(), later: () => Promise.resolve([1]),
  drained: function* () { yield 1; yield 2; }, drip: async function* () { yield* ["a", "b"]; },
  money: () => new Money(5), function: () => Money, symbol: () => Symbol("s"),
  nested: () => [Promise.resolve(1)], invalid: () => new Date(NaN), error: () => new Error("e"),
};
export const bad = {
  cycle: () => cycle, endless: function* () { for (;;) yield 1; },
  keys: () => new Map([[[1], 2]]),
};
"""
TAKES = r"""
export const kind = (value) => {
  const name = value === null ? "null" : typeof value;
  return name === "object" ? value.constructor.name : name;
};
export const text = (value) => String(value);
export const same = (value) => value;
export const all = (...values) => values;
export class Box {
  static made = 0;
  constructor(value) { this.value = value; Box.made += 1; }
  get double() { return this.value * 2; }
  async add(other) { this.value += other instanceof Box ? other.value : other; return this; }
  get secret() { throw new RangeError("not yours"); }
}
export const open = async (value) => new Box(value);
export const valueOf = (box) => box.value;
"""
THROWS = r"""
class NoStock extends RangeError {
  constructor(left) { super(`only ${left} left`); this.status = 409; this.left = left; }
}
export const own = () => { throw new NoStock(3); };
export const late = async () => { await null; throw new NoStock(1); };
export const named = () => { throw Object.assign(new Error("m"), { name: "Refused" }); };
export const thrown = () => { throw "only a text"; };
export const nothing = () => { throw undefined; };
export function unheard() {
  Promise.reject(new Error("nobody hears"));
  return new Promise(() => {});
}
export const proxy = () => { throw new Proxy({}, { get() { throw new Error("no"); } }); };
export const forty = 40;
"""
FILES = {
    "gives.mjs": GIVES,
    "takes.js": TAKES,
    "throws.mjs": THROWS,
    "lib/common.cjs": "exports.one = () => 1; exports.deep = { two: () => 2 };",
    "lib/old.js": "module.exports = { three: () => 3, where: () => __filename };",
    "lib/main.mjs": "import { one } from './common.cjs'; export default () => one() + 1;",
    "broken.mjs": "export const a = 1;\nexport const b = ;\n",
    "wrong.js": "export const a = 1;\nexport const b = ;\n",
    "older.js": "const b = ;\n",
    "raises.mjs": "throw new Error('not ready');",
}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Calls a function of the files above; those that end the process get a new one."""
    folder = tmp_path_factory.mktemp("submission")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    zygote = Zygote([], [str(NODE), str(shipped.runners() / "node" / "worker.mjs")])
    running: list[Interpreter] = []

    def ask(target: str, *args: Any, op: str = "call", **request: Any) -> dict[str, Any]:
        if not running or running[-1]._end is not None:
            running.append(Interpreter(zygote, str(folder), {}, 10_000))
            running[-1].wait_ready()
        encoded = [
            {"$": "handle", "v": a.value} if type(a) is HandleNumber else wire.encode(a)
            for a in args
        ]
        body = {"op": op, "target": target, "args": encoded, "kwargs": {}, **request}
        answer: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        running[-1].request(body, 10, answer.put)
        return answer.get(timeout=15)

    yield ask
    for one in running:
        one.kill()
    os.kill(zygote.pid, signal.SIGKILL)
    os.waitpid(zygote.pid, 0)
    zygote._sock.close()


def value(reply: dict[str, Any]) -> Any:
    assert "value" in reply, reply
    return wire.decode(reply["value"], HandleNumber)


UTC = dt.UTC


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", None),
        ("missing", None),
        ("yes", True),
        ("text", "ä🦊\0"),
        ("integer", -7),
        ("whole", 3),
        ("half", 1.5),
        ("less", -math.inf),
        ("edge", 2**53 - 1),
        ("past", 2.0**60),
        ("large", 1e300),
        ("big", -(2**70)),
        ("small", 5),
        ("list", [1, [None, "x"]]),
        ("holes", [None, 1]),
        ("object", {"a": {"b": []}}),
        ("dollar", {"$": "float", "v": "1"}),
        ("proto", {"__proto__": 1}),
        ("bare", {"a": 1}),
        ("map", {1: "one", "two": 2}),
        ("set", {"a", 1}),
        ("bytes", b"\0\xff"),
        ("buffer", b"\1\2"),
        ("moment", dt.datetime(2026, 3, 1, 12, 30, 0, 250_000, UTC)),
        ("keys", ["a"]),
        ("later", [1]),
        ("drained", [1, 2]),
        ("drip", ["a", "b"]),
    ],
)
def test_values_come_back_as_those_of_python(ask: Ask, name: str, expected: Any) -> None:
    """Each kind of JavaScript's as the one of Python that is equal to it, promises awaited."""
    got = value(ask(f"gives:values.{name}"))
    assert got == expected
    assert type(got) is type(expected)


def test_numbers_that_equal_nothing_come_back(ask: Ask) -> None:
    """NaN, and the zero below zero."""
    assert math.isnan(value(ask("gives:values.nan")))
    assert math.copysign(1, value(ask("gives:values.zero"))) == -1
    assert str(value(ask("gives:values.floats"))) == "[0.5, nan]"


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("money", "Money", "Money { cents: 5 }"),
        ("function", "Function", "[class Money]"),
        ("symbol", "Symbol", "Symbol(s)"),
        ("invalid", "Date", "Invalid Date"),
        ("error", "Error", "Error: e"),
    ],
)
def test_any_other_class_is_shown_and_equals_nothing(
    ask: Ask, name: str, kind: str, shown: str
) -> None:
    got = value(ask(f"gives:values.{name}"))
    assert isinstance(got, wire.Opaque)
    assert got.type_name == kind
    assert repr(got).startswith(shown)
    (nested,) = value(ask("gives:values.nested"))
    assert isinstance(nested, wire.Opaque)


def test_values_past_a_bound_are_told(ask: Ask) -> None:
    """Nesting and length have limits; what no dictionary of Python's can hold is refused there."""
    assert "nested more than 100 deep" in ask("gives:bad.cycle")["raised"]["message"]
    assert "more than 200000 items" in ask("gives:bad.endless")["raised"]["message"]
    with pytest.raises(wire.BadData, match="malformed dict"):
        value(ask("gives:bad.keys"))


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (None, "null", "null"),
        (True, "boolean", "true"),
        (5, "number", "5"),
        (2**70, "bigint", str(2**70)),
        (-(2**70), "bigint", str(-(2**70))),
        (0.5, "number", "0.5"),
        (math.inf, "number", "Infinity"),
        ("ä", "string", "ä"),
        ((1, [2]), "Array", "1,2"),
        ({"$": 1}, "Object", "[object Object]"),
        ({1: 2}, "Map", "[object Map]"),
        ({"a"}, "Set", "[object Set]"),
        (b"ab", "Buffer", "ab"),
        (Decimal("1.50"), "string", "1.50"),
        (dt.date(2026, 3, 1), "string", "2026-03-01"),
        (dt.time(12, 30), "string", "12:30:00"),
        (dt.timedelta(seconds=1, microseconds=500), "number", "1000.5"),
        (uuid.UUID(int=1), "string", str(uuid.UUID(int=1))),
    ],
)
def test_arguments_arrive_as_those_of_javascript(
    ask: Ask, given: Any, kind: str, text: str
) -> None:
    """What JavaScript has no kind for arrives as text, as docs say."""
    assert value(ask("takes:kind", given)) == kind
    assert value(ask("takes:text", given)) == text


def test_moments_cross_with_and_without_a_zone(ask: Ask) -> None:
    """One without a zone is taken for UTC."""
    zone = dt.timezone(dt.timedelta(hours=2))
    moments = (dt.datetime(2026, 3, 1, 12, tzinfo=zone), dt.datetime(2026, 3, 1, 10))
    for moment in moments:
        assert value(ask("takes:same", moment)) == dt.datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_what_javascript_has_no_value_for_is_told(ask: Ask) -> None:
    assert "no value for a fraction" in ask("takes:same", Fraction(1, 3))["raised"]["message"]


def test_named_arguments_come_as_one_object(ask: Ask) -> None:
    reply = ask("takes:all", 1, kwargs={"by": 2, "at": wire.encode(Decimal(3))})
    assert value(reply) == [1, {"by": 2, "at": "3"}]


def test_objects_stay_and_are_arguments(ask: Ask) -> None:
    """Made by a class or by a function that gives one later; attributes may be computed."""
    first, second = (value(ask(target, 5, op="new")) for target in ("takes:Box", "takes:open"))
    assert first != second
    ask("", second, op="method", handle=first.value, name="add")
    assert value(ask("", op="attribute", handle=first.value, name="double")) == 20
    assert value(ask("takes:valueOf", first)) == 10
    method = value(ask("", op="attribute", handle=first.value, name="add"))
    assert method == HandleNumber(0)
    refused = ask("", op="attribute", handle=first.value, name="secret")["raised"]
    assert refused["type"] == "RangeError"
    unknown = ask("", op="attribute", handle=first.value, name="colour")["raised"]
    assert unknown["message"] == "this Box has no 'colour'"


def test_what_is_thrown_is_told(ask: Ask) -> None:
    """Class, bases, message and further properties; the lines are the learner's own."""
    for name, left in (("own", 3), ("late", 1)):
        raised = ask(f"throws:{name}")["raised"]
        assert raised["bases"] == ["NoStock", "RangeError", "Error", "Object"]
        assert raised["args"] == [f"only {left} left", {"status": 409, "left": left}]
        assert raised["traceback"].startswith(f"RangeError: only {left} left\n    at ")
        assert "throws.mjs:" in raised["traceback"]
        assert "worker" not in raised["traceback"]
        assert "/" not in raised["traceback"]
    assert ask("throws:named")["raised"]["bases"] == ["Refused", "Error", "Object"]


@pytest.mark.parametrize(("name", "kind"), [("thrown", "String"), ("nothing", "Object")])
def test_anything_can_be_thrown(ask: Ask, name: str, kind: str) -> None:
    assert ask(f"throws:{name}")["raised"]["type"] == kind
    assert isinstance(ask("throws:proxy")["raised"]["message"], str)


def test_a_rejection_that_nobody_hears_ends_the_process(ask: Ask) -> None:
    """As it does wherever the learner's program runs."""
    assert ask("throws:unheard") == {"broke": "ended", "code": 1}


def test_files_are_found_with_and_without_their_ending(ask: Ask) -> None:
    """Modules of both kinds, and what hangs in an exported object."""
    calls = ("lib/common:one", "lib/common.cjs:deep.two", "lib/old:three", "lib/main:default")
    assert [value(ask(target)) for target in calls] == [1, 2, 3, 2]


@pytest.mark.parametrize(
    ("target", "kind", "says"),
    [
        ("absent:x", "Error", "there is no file absent.js"),
        ("throws:absent", "TypeError", "throws.mjs exports no function 'absent'"),
        ("throws:forty", "TypeError", "throws.mjs exports no function 'forty'"),
        ("throws:absent.deep", "TypeError", "exports no function 'absent.deep'"),
        ("raises:x", "Error", "not ready"),
        ("broken:a", "SyntaxError", "Unexpected token"),
        ("wrong:a", "SyntaxError", "Unexpected token"),
        ("older:a", "SyntaxError", "Unexpected token"),
    ],
)
def test_what_cannot_be_called_is_told(ask: Ask, target: str, kind: str, says: str) -> None:
    raised = ask(target)["raised"]
    assert raised["type"] == kind
    assert says in raised["message"]
    if kind == "SyntaxError":
        assert raised["traceback"].split("\n")[0] in ("broken.mjs:2", "wrong.js:2", "older.js:1")
        assert raised["traceback"].split("\n")[1].endswith("const b = ;")


def test_many_calls_in_one_piece(ask: Ask) -> None:
    """Frames that come together, or in parts, are told apart."""
    sizes = [0, 1, 70_000, 3, 2_000_000]
    for first, second in itertools.pairwise(sizes):
        texts = ["x" * first, "ä" * second]
        assert value(ask("takes:all", *texts)) == texts
