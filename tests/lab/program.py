# SPDX-License-Identifier: GPL-3.0-or-later
"""A static Linux program of a few hundred bytes that prints one line: the program of the lab's images."""

from __future__ import annotations

import struct

BASE = 0x400000
HEADERS = 64 + 56  # the ELF header and one program header


def elf(message: bytes, architecture: str) -> bytes:
    """The program for `amd64` or `arm64`."""
    code = {"amd64": _amd64, "arm64": _arm64}[architecture](len(message))
    machine = {"amd64": 62, "arm64": 183}[architecture]
    size = HEADERS + len(code) + len(message)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        2,
        machine,
        1,
        BASE + HEADERS,
        64,
        0,
        0,
        64,
        56,
        1,
        0,
        0,
        0,
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return header + segment + code + message


def _amd64(length: int) -> bytes:
    code = b"\xb8\x01\0\0\0\xbf\x01\0\0\0"  # mov eax, 1 (write); mov edi, 1
    code += b"\x48\x8d\x35" + struct.pack("<i", 5 + 2 + 5 + 2 + 2)  # lea rsi, [rip + what follows]
    code += b"\xba" + struct.pack("<I", length) + b"\x0f\x05"  # mov edx, length; syscall
    return code + b"\xb8\x3c\0\0\0\x31\xff\x0f\x05"  # mov eax, 60 (exit); xor edi, edi; syscall


def _arm64(length: int) -> bytes:
    def move(register: int, value: int) -> int:
        return 0xD2800000 | value << 5 | register

    call = 0xD4000001
    message = 6 * 4  # from the adr to the end of the code
    address = 0x10000000 | (message >> 2) << 5 | 1  # adr x1, message
    code = [move(8, 64), move(0, 1), address, move(2, length), call, move(8, 93), move(0, 0), call]
    return struct.pack("<8I", *code)
