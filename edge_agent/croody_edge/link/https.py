"""An HTTP connection over TLS, through a proxy where one leads there. Knows no request."""

import http.client
import ssl

from croody_edge.link.proxy import Proxy, through


def connect(host: str, port: int, tls: ssl.SSLContext, proxy: Proxy | None, timeout_s: float) -> http.client.HTTPSConnection:
    """A way to the server. Without a proxy it is opened with the first request.

    Raises:
        OSError: the proxy or the handshake behind it says no.
    """
    server = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=tls)
    if proxy is not None:
        sock = through(proxy, host, port, timeout_s)
        try:
            server.sock = tls.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    return server
