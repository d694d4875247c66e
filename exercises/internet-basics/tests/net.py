"""A name server and raw HTTP servers, as good or as bad as a test wants them."""

import struct
import threading

import dns.exception
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

WORDS = ["harbour", "lantern", "meadow", "copper", "violet", "juniper", "falcon", "marble", "cedar"]
TTL = 60


def random_name(rng):
    """Such as `falcon-31.cedar.test`."""
    return (
        f"{rng.choice(WORDS)}-{rng.randrange(10, 99)}.{rng.choice(WORDS)}{rng.randrange(99)}.test"
    )


def random_address(rng):
    """One of the addresses that are for documentation (RFC 5737)."""
    network = rng.choice(["192.0.2", "198.51.100", "203.0.113"])
    return f"{network}.{rng.randrange(1, 255)}"


class Names:
    """Answers queries over UDP from `addresses` and `aliases`; notes what was asked.

    `answer(query, usual)` may be set to send something else: bytes, a list of them, or None.
    """

    def __init__(self, world):
        self.addresses = {}
        self.aliases = {}
        self.answer = None
        self.queries = []
        self.one_step = False
        self._served = world.udp(self._answer)
        self.server = ("127.0.0.1", self._served.port)
        self.port = self._served.port

    def asked(self):
        """The names that were asked for, in order."""
        return [one.question[0].name.to_text(omit_final_dot=True).lower() for one in self.queries]

    def _answer(self, data):
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None  # the test sees that nothing came
        if not query.question:
            return None
        self.queries.append(query)
        usual = self.usual(query)
        return usual.to_wire() if self.answer is None else self.answer(query, usual)

    def usual(self, query):
        """What an honest name server says."""
        message = dns.message.make_response(query)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        known = False
        while name in self.aliases:
            known = True
            message.answer.append(record(name, "CNAME", self.aliases[name] + "."))
            name = self.aliases[name]
            if self.one_step or len(message.answer) > 20:
                return message
        if name in self.addresses:
            known = True
            # One by one: the library shuffles the records of a set.
            message.answer += [record(name, "A", address) for address in self.addresses[name]]
        if not known:
            message.set_rcode(dns.rcode.NXDOMAIN)
        return message


def record(name, kind, value):
    return dns.rrset.from_text(name + ".", TTL, "IN", kind, value)


def over_tcp(world, names, port):
    """The same answers over TCP, whole."""

    def talk(connection):
        with connection.makefile("rb") as stream:
            size = int.from_bytes(stream.read(2), "big")
            data = stream.read(size)
        message = names.usual(dns.message.from_wire(data)).to_wire()
        connection.sendall(struct.pack("!H", len(message)) + message)

    return world.tcp(talk, port=port)


class Site:
    """A server of raw bytes: notes each request's head, then does what the test says."""

    def __init__(self, world, answer, tls=None):
        self.heads = []
        self.done = threading.Event()
        self._answer = answer
        self._served = world.tcp(self._talk, tls=tls)
        self.port = self._served.port

    def _talk(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(4096)
            if not part or len(head) > 65_536:
                return
            head += part
        self.heads.append(head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n"))
        try:
            self._answer(connection, self.heads[-1][0])
        finally:
            self.done.set()

    def field(self, name, request=0):
        """The values of a header field of one request."""
        pairs = [line.partition(":") for line in self.heads[request][1:]]
        return [value.strip() for field, _, value in pairs if field.strip().lower() == name]


def keep_open(connection):
    """Until the client has gone."""
    try:
        while connection.recv(4096):
            pass
    except OSError:
        pass


def says(*lines, body=b"", leave_open=True):
    """An answer with these lines as head."""
    head = "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"

    def answer(connection, _request_line):
        connection.sendall(head + body)
        if leave_open:
            keep_open(connection)

    return answer


def target_of(request_line):
    return request_line.split(" ")[1]
