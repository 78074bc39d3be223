"""Run the pretended BSS as a process of its own on the loopback interface."""

import uvicorn

from shiming.registrations.sandbox_bss.service import SandboxBss

HOST = "127.0.0.1"  # a pretended network is nobody else's business


def serve(bss: SandboxBss, *, port: int) -> None:
    """Serve until interrupted; port 0 takes a free one, which uvicorn prints."""
    uvicorn.run(bss.application(), host=HOST, port=port, log_level="info", access_log=False)
