"""The socket that a process of ours listens on, and the address of it as clients write it."""

import socket


def listening(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def address_of(listener: socket.socket) -> str:
    """Such as http://127.0.0.1:8321, with brackets around an address of version 6."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
