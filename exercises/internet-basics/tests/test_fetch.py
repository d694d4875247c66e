"""Hidden tests of internet-basics. Name server and sites are the tests' own, in the judge."""

import struct
import time

import dns.exception
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import pytest
from net import (
    Names,
    Site,
    keep_open,
    over_tcp,
    random_address,
    random_name,
    record,
    says,
    target_of,
)

QUICK = 0.15  # seconds that a test lets `resolve` wait where nothing comes


@pytest.fixture
def names(world):
    return Names(world)


def site(world, names, rng, answer, tls=None, scheme="http"):
    """A site under a name of its own: (site, its URL without a path)."""
    made = Site(world, answer, tls)
    host = random_name(rng)
    names.addresses[host] = ["127.0.0.1"]
    return made, f"{scheme}://{host}:{made.port}"


def text(rng, size):
    return bytes(rng.choice(b"abcdefghijklmnopqrstuvwxyz \n") for _ in range(size))


# 1. Ask


@pytest.mark.check(task="ask", points=2)
def test_query_is_a_message_of_dns(solution, rng, note):
    """encode_query builds a query that a DNS library understands."""
    for _ in range(3):
        number, name = rng.randrange(65_536), note("name", random_name(rng))
        data = solution.call("fetch:encode_query", number, name)
        assert isinstance(data, bytes), "encode_query should return bytes."
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException as error:
            pytest.fail(f"A DNS library cannot read the message: {type(error).__name__}: {error}")
        assert query.id == number, "The first two bytes are the ID."
        flags = f"0x{int(query.flags):04x}"
        assert flags == "0x0100", "Of the flags only 'recursion desired' is set."
        asked = [
            (one.name.to_text(omit_final_dot=True), one.rdtype, one.rdclass)
            for one in query.question
        ]
        assert asked == [(name, dns.rdatatype.A, dns.rdataclass.IN)], (
            "The message should hold one question: the name, type A (1), class IN (1)."
        )
        assert len(data) == 12 + len(name) + 2 + 4, (
            "12 bytes of header, the name with its lengths and a zero, type and class: so long is "
            "the message, and no longer."
        )


@pytest.mark.check(task="ask", points=1, needs=["test_query_is_a_message_of_dns"])
def test_names_that_do_not_fit(solution, note):
    """A name with a part that is too long, or empty, or that is too long in all, is refused."""
    whole = ".".join(["a" * 63] * 3 + ["b" * 61])  # 255 bytes in the message, just right
    data = solution.call("fetch:encode_query", 1, whole)
    assert len(data) == 12 + 255 + 4, "A name of 255 bytes in the message is allowed."
    data = solution.call("fetch:encode_query", 1, "a.b.test")
    assert len(data) == 12 + 10 + 4, "A part of one byte is allowed: a.b.test."
    for wrong in ("x" * 64 + ".test", "a..test", whole + "b"):
        note("wrong name", wrong)
        with solution.raises("ValueError"):
            solution.call("fetch:encode_query", 1, wrong)


# 2. Understand the answer


@pytest.mark.check(task="understand", points=2, needs=["test_query_is_a_message_of_dns"])
def test_addresses_of_a_name(solution, names, rng, note):
    """resolve returns the addresses in the order of the answer."""
    host = note("name", random_name(rng))
    names.addresses[host] = [random_address(rng) for _ in range(rng.randint(2, 4))]
    got = solution.call("fetch:resolve", host, names.server)
    assert got == names.addresses[host], "These are not the addresses that the name server sent."
    solution.call("fetch:resolve", host, names.server)
    ids = [query.id for query in names.queries]
    assert len(set(ids)) == len(ids), (
        "Two queries had the same ID. Who can guess the ID of a query can forge the answer: draw "
        "it at random."
    )


@pytest.mark.check(task="understand", points=3, needs=["test_addresses_of_a_name"])
def test_aliases_in_one_answer(solution, names, rng, note):
    """An alias is followed to its addresses, whatever else is in the answer and in what order."""
    host, between, real, other = (random_name(rng) for _ in range(4))
    note("aliases", f"{host} -> {between} -> {real}")
    names.aliases = {host: between, between: real}
    names.addresses = {real: [random_address(rng)]}

    def shuffled(_query, usual):
        usual.answer.append(record(other, "A", random_address(rng)))
        usual.answer.append(record(real, "TXT", '"not an address"'))
        rng.shuffle(usual.answer)
        return usual.to_wire()

    for _ in range(4):  # in several orders
        names.answer = shuffled
        got = solution.call("fetch:resolve", host, names.server)
        assert got == names.addresses[real], (
            "The answer has two aliases, the address of the last one, and records of others that "
            "are not yours."
        )


@pytest.mark.check(task="understand", points=2, needs=["test_addresses_of_a_name"])
def test_alias_without_addresses(solution, names, rng, note):
    """When the answer is only an alias, its name is asked for."""
    host, real = random_name(rng), random_name(rng)
    note("alias", f"{host} -> {real}")
    names.aliases, names.addresses = {host: real}, {real: [random_address(rng)]}
    names.one_step = True
    got = solution.call("fetch:resolve", host, names.server)
    assert got == names.addresses[real], "The alias should be followed by a query of its own."


@pytest.mark.check(task="understand", points=1, needs=["test_addresses_of_a_name"])
def test_no_such_name(solution, names, rng):
    """A name that does not exist, or has no address, is a LookupError."""
    with solution.raises("LookupError"):
        solution.call("fetch:resolve", random_name(rng), names.server)
    host = random_name(rng)
    names.answer = lambda query, _usual: dns.message.make_response(query).to_wire()
    with solution.raises("LookupError"):
        solution.call("fetch:resolve", host, names.server)


# 3. Do not trust the line


@pytest.mark.check(task="distrust", points=2, needs=["test_addresses_of_a_name"])
def test_lost_datagrams(solution, names, rng):
    """A query that gets no answer is sent again, three times in all."""
    host = random_name(rng)
    names.addresses[host] = [random_address(rng)]
    names.answer = lambda _query, usual: usual.to_wire() if len(names.queries) == 3 else None
    got = solution.call("fetch:resolve", host, names.server, wait=QUICK)
    assert got == names.addresses[host], "The third query was answered."
    names.queries.clear()
    names.answer = lambda _query, _usual: None
    with solution.raises("TimeoutError"):
        solution.call("fetch:resolve", host, names.server, wait=QUICK)
    assert len(names.queries) == 3, "Nobody answers. So many queries came."


@pytest.mark.check(task="distrust", points=3, needs=["test_addresses_of_a_name"])
def test_forged_answers(solution, names, rng, note):
    """An answer with another ID, or to another question, is dropped; the right one comes later."""
    host, other, wrong = random_name(rng), random_name(rng), random_address(rng)
    names.addresses[host] = [note("right", random_address(rng))]
    note("forged", wrong)

    def forge(query, usual):
        stranger = dns.message.make_response(query)
        stranger.answer.append(record(host, "A", wrong))
        stranger.id = query.id ^ rng.randint(1, 65_535)
        question = dns.message.make_query(other, "A", id=query.id, flags=dns.flags.RD)
        elsewhere = dns.message.make_response(question)
        elsewhere.answer.append(record(host, "A", wrong))
        forged = [stranger.to_wire(), b"\0", elsewhere.to_wire(), query.to_wire()]
        return [*forged, usual.to_wire()]

    names.answer = forge
    got = solution.call("fetch:resolve", host, names.server)
    assert got == names.addresses[host], (
        "Before the right answer came one with another ID, one byte of nonsense, one to another "
        "question, and your own query once more. All four are to be dropped."
    )


def truncated(_query, usual):
    """The answer with its first record only, and the bit TC."""
    usual.flags |= dns.flags.TC
    del usual.answer[1:]
    return usual.to_wire()


@pytest.mark.check(task="distrust", points=2, needs=["test_addresses_of_a_name"])
def test_truncated_answer(solution, world, names, rng):
    """An answer that did not fit is asked for over TCP."""
    host = random_name(rng)
    names.addresses[host] = [f"192.0.2.{n}" for n in rng.sample(range(1, 255), 60)]

    names.answer = truncated
    over_tcp(world, names, names.port)
    got = solution.call("fetch:resolve", host, names.server)
    assert got == names.addresses[host], (
        "The answer over UDP had the bit TC and one address. Over TCP there are 60."
    )


@pytest.mark.check(task="distrust", points=2, needs=["test_addresses_of_a_name"])
def test_answers_that_cannot_be_read(solution, names, rng, note):
    """A record that is cut off, a name that points to itself, a circle of aliases: ValueError."""
    host, other = random_name(rng), random_name(rng)
    names.addresses[host] = [random_address(rng)]
    for missing in (2, rng.randrange(5, 14)):  # of the address, and of what stands before it
        note("answer", f"the last {missing} bytes are missing")
        names.answer = lambda _query, usual, end=-missing: usual.to_wire()[:end]
        with solution.raises("ValueError"):
            solution.call("fetch:resolve", host, names.server)

    def points_to_itself(_query, usual):
        question = usual.to_wire()[: 12 + len(host) + 2 + 4]
        here = struct.pack("!H", 0xC000 | len(question))
        return question + here + struct.pack("!2HIH", 1, 1, 60, 4) + bytes(4)

    note("answer", "the name of the record is a pointer to itself")
    names.answer = points_to_itself
    with solution.raises("ValueError"):
        solution.call("fetch:resolve", host, names.server)
    names.answer = None
    names.aliases = {host: other, other: host}
    for one_step in (False, True):
        note("answer", f"aliases in a circle, {'one in each' if one_step else 'all in one'} answer")
        names.one_step = one_step
        with solution.raises("ValueError"):
            solution.call("fetch:resolve", host, names.server)


# 4. Fetch


@pytest.mark.check(task="fetch", points=2, needs=["test_addresses_of_a_name"])
def test_the_request(solution, world, names, rng, note):
    """The name is resolved, and the request has the right first line and Host."""
    page, base = site(world, names, rng, says("HTTP/1.1 200 OK", leave_open=False))
    path = f"/{rng.choice('abc')}/page?n={rng.randrange(1000)}&x=%20"
    solution.call("fetch:fetch", note("url", base + path), names.server)
    host = base.partition("//")[2]
    assert names.asked() == [host.partition(":")[0]], "The name server should be asked once."
    assert page.heads[0][0] == f"GET {path} HTTP/1.1", "This is the request line that came."
    assert page.field("host") == [host], "The field Host is the name and the port of the URL."


@pytest.mark.check(task="fetch", points=2, needs=["test_addresses_of_a_name"])
def test_a_page_with_a_length(solution, world, names, rng, note):
    """The body ends after Content-Length bytes, and the result holds what came."""
    body = rng.randbytes(rng.randrange(150_000, 250_000))  # more than one recv brings
    head = ("HTTP/1.1 200 OK", f"CONTENT-length:  {len(body)}", "X-Served-By: a:b")
    _, base = site(world, names, rng, says(*head, body=body))
    url = note("url", f"{base}/{rng.choice('abc')}")
    got = solution.call("fetch:fetch", url, names.server)
    assert (got["status"], got["url"]) == (200, url), "Status or URL is another one."
    assert got["headers"].get("x-served-by") == "a:b", (
        "The result has the header fields by their names in lower case."
    )
    size = len(got["body"])
    assert size == len(body), "So many bytes are in the body. Content-Length said how many."
    assert got["body"] == body, "The body is not what the server sent."


@pytest.mark.check(task="fetch", points=2, needs=["test_a_page_with_a_length"])
def test_a_page_in_chunks(solution, world, names, rng):
    """A chunked body is put together, however the bytes arrive."""
    parts = [text(rng, rng.choice([1, 9, 17, 300, 5000])) for _ in range(rng.randint(4, 8))]
    framed = b""
    for number, part in enumerate(parts):
        size = [f"00{len(part):x};name=value", f"{len(part):X}", f"{len(part):x}"][number % 3]
        framed += size.encode() + b"\r\n" + part + b"\r\n"
    head = b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n"
    ends = {"/": b"0\r\n\r\n", "/trailer": b"0\r\nX-Sum: 1\r\n\r\n"}

    def drip(connection, line):
        data = head + framed + ends[target_of(line)]
        while data:
            size = rng.choice([1, 2, 3, 700, 4000])
            connection.sendall(data[:size])
            data = data[size:]
            time.sleep(0.001)
        keep_open(connection)

    _, base = site(world, names, rng, drip)
    for path in ends:
        got = solution.call("fetch:fetch", base + path, names.server)
        assert got["body"] == b"".join(parts), "The chunks, put together, are another body."


@pytest.mark.check(task="fetch", points=1, needs=["test_a_page_with_a_length"])
def test_a_page_until_the_end(solution, world, names, rng):
    """Without a length the body ends with the connection; a URL without a path asks for /."""
    body = text(rng, 3000)
    page, base = site(world, names, rng, says("HTTP/1.0 404 Lost", body=body, leave_open=False))
    got = solution.call("fetch:fetch", base, names.server)
    assert (got["status"], got["body"]) == (404, body), "Status or body is another one."
    assert target_of(page.heads[0][0]) == "/", "A URL without a path asks for this."


@pytest.mark.check(task="fetch", points=1, needs=["test_a_page_with_a_length"])
def test_no_content(solution, world, names, rng):
    """A 204 or 304 has no body, and nobody waits for one."""
    for status, *fields in ((204,), (304, "Content-Length: 17")):  # that of the page as it is
        _, base = site(world, names, rng, says(f"HTTP/1.1 {status} Nothing", *fields))
        got = solution.call("fetch:fetch", base + "/", names.server, seconds=2)
        assert (got["status"], got["body"]) == (status, b""), "Status or body is another one."


# 5. Be patient, but not for ever


@pytest.mark.check(task="patience", points=2, needs=["test_a_page_with_a_length"])
def test_time_is_for_the_whole(solution, world, names, rng, note):
    """A server that sends a byte now and then, or nothing, does not hold the probe up."""

    def drip(connection, _line):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(60):
            connection.sendall(b"x")
            time.sleep(0.05)

    for told, answer in (
        ("a byte now and then", drip),
        ("nothing at all", lambda connection, _line: keep_open(connection)),
    ):
        note("the server sends", told)
        _, base = site(world, names, rng, answer)
        with solution.raises("TimeoutError"):
            solution.call("fetch:fetch", base + "/", names.server, seconds=0.4, timeout=2.5)
    note("the server sends", "nothing at all, not even a handshake of TLS")
    ca = world.authority().pem
    _, base = site(world, names, rng, keep_open, scheme="https")
    with solution.raises("TimeoutError"):
        solution.call("fetch:fetch", base + "/", names.server, ca=ca, seconds=0.4, timeout=2.5)
    note("the server sends", "nothing: it is the name server, over TCP, after an answer with TC")
    names.answer = truncated
    world.tcp(keep_open, port=names.port)
    with solution.raises("TimeoutError"):
        solution.call("fetch:fetch", base + "/", names.server, seconds=0.4, timeout=2.5)


@pytest.mark.check(task="patience", points=2, needs=["test_a_page_in_chunks"])
def test_bodies_that_end_too_early(solution, world, names, rng, note):
    """Half a page is an error, not a page."""
    body = text(rng, 400)
    half = b"190\r\n" + body + b"\r\n"
    for head, sent in (
        (f"Content-Length: {len(body) + rng.randint(1, 50)}", body),
        ("Transfer-Encoding: chunked", half),
        ("Transfer-Encoding: chunked", half[:-100]),
    ):
        note("the server sends", f"{head}, then {len(sent)} bytes, then it closes")
        answer = says("HTTP/1.1 200 OK", head, body=sent, leave_open=False)
        _, base = site(world, names, rng, answer)
        with solution.raises("ValueError"):
            solution.call("fetch:fetch", base + "/", names.server)


@pytest.mark.check(task="patience", points=2, needs=["test_a_page_in_chunks"])
def test_bodies_that_are_too_long(solution, world, names, rng, note):
    """Past the limit nothing more is read, whether the length was said before or not."""
    limit = rng.randrange(70_000, 90_000)  # more than one recv brings

    def endless(head, piece):
        def answer(connection, _line):
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
            while True:  # until the client has had enough
                connection.sendall(piece)

        return answer

    block = bytes(8192)
    for head, piece in (
        (b"Content-Length: 99999999999\r\n", block),
        (b"Transfer-Encoding: chunked\r\n", b"2000\r\n" + block + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\nX-Chunks: 1\r\n", b"ffffffff\r\n" + block),
        (b"", block),
    ):
        note("the server sends without end", head.decode().strip() or "a body without a length")
        _, base = site(world, names, rng, endless(head, piece))
        with solution.raises("ValueError"):
            solution.call("fetch:fetch", base + "/", names.server, seconds=2, limit=limit)
    body = bytes(limit)
    chunks = f"{limit:x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    for fields, sent in (
        ([], body),
        ([f"Content-Length: {limit}"], body),
        (["Transfer-Encoding: chunked"], chunks),
    ):
        note("the server sends", f"{limit} bytes, {fields or 'without a length'}")
        answer = says("HTTP/1.1 200 OK", *fields, body=sent, leave_open=False)
        _, base = site(world, names, rng, answer)
        got = solution.call("fetch:fetch", base + "/", names.server, limit=limit)
        assert len(got["body"]) == limit, "A body of exactly `limit` bytes is allowed."
    for fields, sent, most in (
        ([], b"one byte more", {"limit": 12}),
        (["Content-Length: 1000001"], b"", {}),
    ):
        note("the server sends", f"one byte too many, {fields or 'without a length'}")
        answer = says("HTTP/1.1 200 OK", *fields, body=sent, leave_open=False)
        _, base = site(world, names, rng, answer)
        with solution.raises("ValueError"):
            solution.call("fetch:fetch", base + "/", names.server, **most)


# 6. Know whom you talk to


@pytest.mark.check(task="trust", points=2, needs=["test_a_page_with_a_length"])
def test_https(solution, world, names, rng):
    """A site with a good certificate is fetched; the name is sent along (SNI)."""
    authority, seen = world.authority(), []
    host, body = random_name(rng), text(rng, 900)
    tls = authority.context(host)
    tls.sni_callback = lambda _socket, name, _context: seen.append(name)
    answer = says("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", body=body)
    secure = Site(world, answer, tls)
    names.addresses[host] = ["127.0.0.1"]
    url = f"https://{host}:{secure.port}/"
    got = solution.call("fetch:fetch", url, names.server, ca=authority.pem)
    assert got["body"] == body, "The body is not what the server sent."
    assert seen == [host], "The client should say in the handshake which name it wants (SNI)."


@pytest.mark.check(task="trust", points=2, needs=["test_https"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("signed by another authority", id="authority"),
        pytest.param("for another name", id="name"),
        pytest.param("expired", id="expired"),
    ],
)
def test_wrong_certificate(solution, world, names, rng, fault):
    """A certificate that is {fault} is refused before anything is asked."""
    authority, host = world.authority(), random_name(rng)
    signer = world.authority() if fault == "signed by another authority" else authority
    name = random_name(rng) if fault == "for another name" else host
    secure = Site(
        world,
        says("HTTP/1.1 200 OK", "Content-Length: 2", body=b"ok"),
        signer.context(name, expired=fault == "expired"),
    )
    names.addresses[host] = ["127.0.0.1"]
    with solution.raises("SSLError"):
        url = f"https://{host}:{secure.port}/"
        solution.call("fetch:fetch", url, names.server, ca=authority.pem)
    assert secure.heads == [], "The request was sent to a server that has not proven its name."


# 7. Follow redirects


@pytest.mark.check(
    task="redirects", points=2, needs=["test_the_request", "test_a_page_with_a_length"]
)
def test_redirects(solution, world, names, rng, note):
    """A relative Location and one on another host are followed."""
    body = text(rng, 200)
    last, there = site(
        world, names, rng, says("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", body=body)
    )

    def lead(connection, line):
        where = {"/a/start": "next?x=1", "/a/next?x=1": f"{there}/end"}[target_of(line)]
        status = rng.choice([301, 302, 303])
        says(f"HTTP/1.1 {status} On", f"Location: {where}", "Content-Length: 0")(connection, line)

    first, here = site(world, names, rng, lead)
    got = solution.call("fetch:fetch", note("url", f"{here}/a/start"), names.server)
    targets = [target_of(head[0]) for head in first.heads + last.heads]
    assert targets == ["/a/start", "/a/next?x=1", "/end"], "These pages were asked for, in order."
    assert (got["url"], got["body"]) == (f"{there}/end", body), "URL and body are the last one's."
    host = there.partition("//")[2]
    assert last.field("host") == [host], "The field Host is that of the new URL."
    for status, *fields in ((201, "Location: /a"), (302,)):
        answer = says(f"HTTP/1.1 {status} Stay", *fields, "Content-Length: 0")
        _, base = site(world, names, rng, answer)
        got = solution.call("fetch:fetch", base + "/", names.server)
        assert (got["status"], got["url"]) == (status, base + "/"), (
            "This was 201 with a Location, or 302 without one. Neither leads on."
        )


@pytest.mark.check(task="redirects", points=2, needs=["test_redirects"])
def test_redirects_without_end(solution, world, names, rng):
    """After five redirects it is enough."""

    def lead(connection, line):
        number = int(target_of(line)[1:])
        answer = says("HTTP/1.1 200 OK", "Content-Length: 2", body=b"ok")
        if number:
            status = [301, 302, 303, 307, 308][number % 5]
            answer = says(f"HTTP/1.1 {status} On", f"Location: /{number - 1}", "Content-Length: 0")
        answer(connection, line)

    around, base = site(world, names, rng, lead)
    got = solution.call("fetch:fetch", f"{base}/5", names.server)
    assert got["body"] == b"ok", "Five redirects are allowed."
    around.heads.clear()
    with solution.raises("ValueError"):
        solution.call("fetch:fetch", f"{base}/{rng.randint(6, 9)}", names.server)
    assert len(around.heads) <= 6, "So many pages were asked for until it was enough."


@pytest.mark.check(task="redirects", points=1, needs=["test_redirects", "test_https"])
def test_away_from_https(solution, world, names, rng):
    """From https nobody is led to http."""
    authority, host = world.authority(), random_name(rng)
    plain, open_base = site(world, names, rng, says("HTTP/1.1 200 OK", "Content-Length: 0"))
    answer = says("HTTP/1.1 301 On", f"Location: {open_base}/", "Content-Length: 0")
    secure = Site(world, answer, authority.context(host))
    names.addresses[host] = ["127.0.0.1"]
    with solution.raises("ValueError"):
        url = f"https://{host}:{secure.port}/"
        solution.call("fetch:fetch", url, names.server, ca=authority.pem)
    assert plain.heads == [], "A request went over the open line."
