"""Wires to card readers, by pyserial: `/dev/ttyUSB0`, `COM3`, or `tcp://host:port` (a serial server)."""

from dataclasses import dataclass, field
from typing import Self

import serial

from shiming.identity_proofing.connectors.sdt_reader.reader import PIECE_BYTES_MAX, ReaderFault
from shiming.vocabulary.errors import Text, Unavailable

BAUD = 115_200  # 8 bits, no parity, 1 stop bit
WRITE_S_MAX = 2.0
_TCP = "tcp://"


@dataclass(slots=True)
class SerialLine:
    """An open port."""

    port: serial.SerialBase = field(repr=False)

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a port; Unavailable (PORT_UNAVAILABLE) when it is not there or not ours to open."""
        url = "socket://" + name.removeprefix(_TCP) if name.startswith(_TCP) else name
        try:
            return cls(serial.serial_for_url(url, baudrate=BAUD, timeout=0, write_timeout=WRITE_S_MAX))
        except (serial.SerialException, ValueError, OSError) as error:
            raise Unavailable(
                "PORT_UNAVAILABLE",
                Text(zh="无法打开读卡器端口。", en="The port of the card reader cannot be opened."),
                Text(
                    zh="请检查端口名称、连线和权限（Linux 下通常是 dialout 组）。",
                    en="Check name, cable and rights (on Linux usually the group dialout).",
                ),
            ) from error

    def send(self, content: bytes) -> None:
        """Send all of it."""
        try:
            self.port.write(content)
        except (serial.SerialException, OSError) as error:
            raise ReaderFault("PORT_LOST") from error

    def receive(self, timeout_s: float) -> bytes:
        """Return what arrived; empty when nothing did in that time."""
        try:
            self.port.timeout = timeout_s
            first: bytes = self.port.read(1)
            if not first:
                return b""
            self.port.timeout = 0
            return first + bytes(self.port.read(PIECE_BYTES_MAX - 1))
        except (serial.SerialException, OSError, TypeError) as error:
            # TypeError: pyserial reads from a port that was closed meanwhile
            raise ReaderFault("PORT_LOST") from error

    def close(self) -> None:
        """Give the port back."""
        self.port.close()
