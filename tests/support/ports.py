"""Free ports of the loopback."""

import socket


def free_ports(count: int) -> list[int]:
    """Return `count` different ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
