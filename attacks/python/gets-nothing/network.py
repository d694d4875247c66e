"""Tries to reach other machines, the host and the metadata service of a cloud."""

import socket

HOSTS = ["172.17.0.1", "172.18.0.1", "192.168.65.2", "169.254.169.254", "10.0.2.2", "8.8.8.8"]
for host in HOSTS:
    for port in (22, 53, 80, 443, 2375, 5432, 6379):
        with socket.socket() as sock:
            sock.settimeout(0.05)
            try:
                sock.connect((host, port))
                got_through(f"{host}:{port}")
            except OSError:
                continue
