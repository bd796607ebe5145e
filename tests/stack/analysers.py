"""What sslyze says of the two TLS ports of a running system, and gixy of its gateway's configuration."""

import json
import subprocess
from typing import Final

from sslyze import Scanner, ServerNetworkLocation, ServerScanRequest
from sslyze.mozilla_tls_profile.tls_config_checker import (
    SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER,
    MozillaTlsConfiguration,
    ServerNotCompliantWithTlsConfiguration,
    TlsConfigurationEnum,
    check_server_against_tls_configuration,
)

from tests.stack.system import System
from tools.stack import script

#: Nobody but the site's own authority vouches for its first certificate.
_OF_ITS_OWN_AUTHORITY: Final = {"certificate_path_validation"}


def complaints_of_sslyze(port: int) -> dict[str, str]:
    """What differs from Mozilla's intermediate profile.

    Raises:
        ServerScanResultIncomplete: nothing could be said, for nobody answers there.
    """
    scanner = Scanner()
    wanted = SCAN_COMMANDS_NEEDED_BY_MOZILLA_CHECKER
    scanner.queue_scans([ServerScanRequest(ServerNetworkLocation("localhost", port, "127.0.0.1"), scan_commands=wanted)])
    (result,) = scanner.get_results()
    try:
        check_server_against_tls_configuration(result, MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_INTERMEDIATE))
    except ServerNotCompliantWithTlsConfiguration as error:
        return {name: text for name, text in error.issues.items() if name not in _OF_ITS_OWN_AUTHORITY}
    return {}


def complaints_of_gixy(system: System) -> list[str]:
    """What is wrong with the configuration that the gateway rendered and runs with: `FILE:LINE PLUGIN`."""
    dump = system.inside("gateway", "nginx", "-T")
    assert "limit_req_zone" in dump, "that is not our configuration"
    done = subprocess.run([script("gixy"), "-f", "json", "-"], input=dump, capture_output=True, text=True, check=False)
    return [f"{found['file']}:{found['line']} {found['plugin']}" for found in json.loads(done.stdout)]
