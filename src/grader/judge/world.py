"""The `world` fixture: servers of a hidden test's own, which the learner's program can reach.

They listen on unix sockets in the session's volume; the agent gives each a port on the sandbox's
loopback. What comes in is a learner's data: bounded, and never more than bytes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.agent.datagrams import Frames, framed
from grader.judge.client import AgentClient
from grader.judge.errors import AuthorFault, Broke, SandboxLost

if TYPE_CHECKING:
    from grader.judge.certificates import Authority
    from grader.judge.handlers import Handler, HttpServer

IDLE_SECONDS = 30.0
"""A connection on which nothing happens for so long is closed."""
MOST_CONNECTIONS = 200
LARGEST_DATAGRAM = 65_507
"""What UDP over IPv4 carries at most."""
TURN_SECONDS = 60.0
"""On a loopback that sandboxes share, one of them waits so long for the others' turns to end."""

Tcp = Callable[[socket.socket], None]
Udp = Callable[[bytes], bytes | Iterable[bytes] | None]


class Served:
    """One server. `port` is its port on the loopback of every sandbox of this check."""

    def __init__(
        self,
        world: World,
        path: Path,
        talk: Tcp,
        tls: ssl.SSLContext | None,
        *,
        port: int,
        datagrams: bool,
        private: bool,
    ) -> None:
        self.port = port
        self.path = path
        self.datagrams = datagrams
        self.private = private
        self.refused: list[str] = []
        """Why TLS handshakes failed, as OpenSSL says it."""
        self._world = world
        self._talk = talk
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        os.chmod(path, 0o666)  # noqa: PTH101,S103 -- the sandbox has another user id
        # A unix socket refuses at once what finds its queue full.
        self._listener.listen(2 * MOST_CONNECTIONS)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def close(self) -> None:
        """Refuse connections and end the open ones; what was recorded stays readable."""
        self._world.withdraw(self)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def reached_by(self, client: AgentClient) -> Iterator[None]:
        """For the runtime: meanwhile this sandbox reaches a private server. Raises SandboxLost."""
        if not self.private:
            raise AuthorFault("solution.run(world=...) takes what world.serve(private=True) made")
        self._world.lend(self, client)
        try:
            yield
        finally:
            self._world.take_back(self, client)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if len(self._open) >= MOST_CONNECTIONS:
                    connection.close()
                    continue
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            connection.settimeout(IDLE_SECONDS)
            if self._tls is not None:
                connection = self._handshake(raw, self._tls)
            self._talk(connection)
        except (OSError, EOFError):
            pass  # the learner's program went away, or was silent for too long
        except Exception as error:  # noqa: BLE001 -- told where the check's outcome is decided
            self._world.failed(error)
        finally:
            with self._lock:
                self._open.discard(raw)
            with contextlib.suppress(OSError):
                connection.close()

    def _handshake(self, raw: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        try:
            return tls.wrap_socket(raw, server_side=True)
        except OSError as error:
            self.refused.append(str(getattr(error, "reason", None) or error))
            raise


class World:
    """The `world` fixture. Everything served ends with the check."""

    def __init__(self, folder: Path, sandboxes: Callable[[], Iterable[AgentClient]]) -> None:
        """`sandboxes`: those that are to reach what is served; a check may get more later."""
        self._folder = folder
        self._sandboxes = sandboxes
        self._served: list[Served] = []
        self._address = 0
        """The port of all private servers of this check."""
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.error: Exception | None = None
        """The first exception that a handler raised in this check."""

    # -- for hidden tests ---------------------------------------------------------------------

    def serve(
        self, handler: Handler, tls: ssl.SSLContext | None = None, *, private: bool = False
    ) -> HttpServer:
        """Serve HTTP/1.1: `handler(request)` returns (status, body) or (status, body, headers).

        A body is bytes, text, None, or what JSON can hold. With `private`, only those runs reach
        it that `solution.run(..., fresh=True, world=...)` names it to, and all private servers of
        a check have one address: nothing but its answers tells one from another.
        """
        from grader.judge.handlers import HttpServer

        server = HttpServer(handler, secure=tls is not None)
        server.served = self._offer(server.talk, tls, private=private)
        return server

    def tcp(self, talk: Tcp, tls: ssl.SSLContext | None = None, port: int = 0) -> Served:
        """Call `talk(connection)` for each connection, in a thread; it is closed afterwards.

        `port`: that of something served over UDP, when both are to have the same number.
        """
        return self._offer(talk, tls, port=port)

    def udp(self, answer: Udp) -> Served:
        """Call `answer(datagram)` for each; it returns a datagram, several, or None."""
        return self._offer(lambda connection: _datagrams(connection, answer), datagrams=True)

    def authority(self) -> Authority:
        """A certificate authority of this check's own, which nobody trusts yet."""
        from grader.judge.certificates import Authority

        return Authority()

    # -- for the runtime ----------------------------------------------------------------------

    def _offer(
        self,
        talk: Tcp,
        tls: ssl.SSLContext | None = None,
        *,
        port: int = 0,
        datagrams: bool = False,
        private: bool = False,
    ) -> Served:
        path = self._folder / f"world-{next(self._numbers)}.sock"
        path.unlink(missing_ok=True)
        served = Served(self, path, talk, tls, port=port, datagrams=datagrams, private=private)
        self._served.append(served)
        try:
            if private:
                served.port = self._one_address()
            else:
                for client in self._sandboxes():
                    served.port = self._reach(client, served)
        except BaseException:
            served.close()
            raise
        return served

    def _reach(self, client: AgentClient, served: Served) -> int:
        # By its name: the folder has another path in there.
        name, datagrams, alone = served.path.name, served.datagrams, served.private
        reply = client.request(
            "reach", port=served.port, socket=name, datagrams=datagrams, alone=alone
        )
        return _port(reply)

    def _one_address(self) -> int:
        with self._lock:
            if not self._address:
                client = next(iter(self._sandboxes()))
                self._address = _port(client.request("free_port"))
            return self._address

    def greet(self, client: AgentClient) -> None:
        """One more sandbox: it reaches everything that is not private at the same ports."""
        for served in self._served:
            if not served.private:
                self._reach(client, served)

    def lend(self, served: Served, client: AgentClient) -> None:
        """From now on this sandbox reaches a private server. Raises SandboxLost."""
        deadline = time.monotonic() + TURN_SECONDS
        while self._reach(client, served) != served.port:
            if time.monotonic() > deadline:
                raise SandboxLost("The sandbox could not open the port of a server of the test.")
            time.sleep(0.05)

    def take_back(self, served: Served, client: AgentClient) -> None:
        """Not any more."""
        with contextlib.suppress(Broke):  # with the sandbox, the port is gone too
            client.request("leave", port=served.port, datagrams=served.datagrams)

    def withdraw(self, served: Served) -> None:
        """No sandbox has its port any more."""
        if served in self._served:
            self._served.remove(served)
            for client in () if served.private else self._sandboxes():
                self.take_back(served, client)

    def failed(self, error: Exception) -> None:
        """A handler raised: the check must not pass as if nothing was wrong."""
        with self._lock:
            self.error = self.error or error

    def close(self) -> None:
        """The check is over. The agents forget the ports with their reset."""
        served, self._served = self._served, []
        for one in served:
            one.close()
        self.error, self._address = None, 0


def _port(reply: Mapping[str, Any]) -> int:
    port = reply.get("port")
    if not isinstance(port, int):
        raise SandboxLost("The sandbox could not open a port for a server of the test.")
    return port


def _datagrams(connection: socket.socket, answer: Udp) -> None:
    frames = Frames()
    while data := connection.recv(1 << 16):
        for datagram in frames.feed(data):
            answers = answer(datagram)
            for one in [answers] if isinstance(answers, bytes) else answers or ():
                if len(one) > LARGEST_DATAGRAM:
                    raise AuthorFault(f"a datagram of {len(one)} bytes; {LARGEST_DATAGRAM} at most")
                connection.sendall(framed(one))
