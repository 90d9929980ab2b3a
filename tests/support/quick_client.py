# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that a run starts in place of Python. It sends its command to a server of `quick_python`.

`quick_client.py SOCKET ARGUMENT ...`. It runs for each module and each playbook, so it imports only modules that are
part of the interpreter. The import of `json` and `socket` alone takes longer than this program.
"""

import _socket
import posix
import sys


def main(path: str, arguments: list[str]) -> int:
    """Send the command to the server. Returns the exit status."""
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    server.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    words = [argument.encode(sys.getfilesystemencoding(), "surrogateescape") for argument in arguments]
    variables = [name + b"=" + value for name, value in posix.environ.items()]
    server.sendall(b"\0".join([str(len(words)).encode(), *words, posix.getcwdb(), *variables]))
    server.shutdown(_socket.SHUT_WR)
    received = server.recv(1)
    return received[0] if received else 1  # a killed child sends nothing


sys.exit(main(sys.argv[1], sys.argv[2:]))
