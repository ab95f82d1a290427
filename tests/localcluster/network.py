"""The bridge that pods hang on, and the packet filter's rules for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from localcluster.state import State

BRIDGE = "streamjob0"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
NODE_ADDRESS = "10.244.0.1"
"""The bridge's own address: node, API server, kubelet and DNS answer there, for pods as for the host."""
KUBERNETES_SERVICE = "10.96.0.1"

FORWARD_CHAIN = "STREAMJOB-FORWARD"
MASQUERADE_CHAIN = "STREAMJOB-MASQUERADE"
# Chains made by us, by kubelet and by kube-proxy.
OWN_CHAIN = re.compile(r"(KUBE|STREAMJOB)-[A-Z0-9-]+")

SETTINGS = {
    "net/ipv4/ip_forward": "1",
    # A pod's packet to a Service whose endpoint hangs on the same bridge must pass the packet filter both ways.
    "net/bridge/bridge-nf-call-iptables": "1",
}

RULES = f"""\
*filter
:{FORWARD_CHAIN} - [0:0]
-A {FORWARD_CHAIN} -i {BRIDGE} -j ACCEPT
-A {FORWARD_CHAIN} -o {BRIDGE} -j ACCEPT
-I FORWARD -j {FORWARD_CHAIN}
COMMIT
*nat
:{MASQUERADE_CHAIN} - [0:0]
-A {MASQUERADE_CHAIN} -s {POD_RANGE} ! -d {POD_RANGE} -j MASQUERADE
-A POSTROUTING -j {MASQUERADE_CHAIN}
COMMIT
"""


def load_filter() -> None:
    """Load the module behind SETTINGS, where it is not part of the kernel and there is a tool for it."""
    if not Path("/proc/sys/net/bridge").exists() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)


def create(state: State) -> None:
    """Make the bridge with its address and the rules. Call :func:`remove` first."""
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("link", "set", BRIDGE, "alias", state.identity)
    _ip("address", "add", f"{NODE_ADDRESS}/{POD_RANGE.rpartition('/')[2]}", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    load_filter()
    for key, value in SETTINGS.items():
        (Path("/proc/sys") / key).write_text(value)
    subprocess.run(["iptables-restore", "--noflush", "--wait"], input=RULES, text=True, check=True)


def owner() -> str | None:
    """The identity of the state folder whose cluster made the bridge; None where there is no bridge."""
    shown = subprocess.run(["ip", "-j", "link", "show", BRIDGE], capture_output=True, text=True, check=False)
    return str(json.loads(shown.stdout)[0].get("ifalias", "")) if shown.returncode == 0 else None


def remove() -> None:
    """Remove bridge, its ports and all rules of a cluster."""
    if owner() is not None:
        listed = subprocess.run(
            ["ip", "-o", "link", "show", "master", BRIDGE], capture_output=True, text=True, check=True
        )
        for port in port_names(listed.stdout):  # which may go by themselves at any moment, with their pod's namespace
            subprocess.run(["ip", "link", "delete", port], capture_output=True, check=False)
        _ip("link", "delete", BRIDGE)
    for family in ("iptables", "ip6tables"):
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True, check=True).stdout
        if script := removal_script(saved):
            subprocess.run([f"{family}-restore", "--noflush", "--wait"], input=script, text=True, check=True)


def port_names(listed: str) -> list[str]:
    """Interfaces in ``ip -o link show``: ``7: veth1a2b@if2: <BROADCAST...``."""
    return [line.split(": ")[1].partition("@")[0] for line in listed.splitlines()]


def removal_script(saved: str) -> str:
    """Turn ``iptables-save`` into the ``iptables-restore --noflush`` that removes a cluster's chains and jumps to them.

    Rules of others stay as they are. Empty when there is nothing to remove.
    """
    script: list[str] = []
    for table, lines in _tables(saved):
        chains = [name for line in lines if line.startswith(":") and OWN_CHAIN.fullmatch(name := line[1:].split()[0])]
        jumps = [line for line in lines if line.startswith("-A ") and _jumps_to_own(line)]
        if chains:
            script += [f"*{table}", *(f":{chain} - [0:0]" for chain in chains)]  # which empties them
            script += [f"-D {line.removeprefix('-A ')}" for line in jumps]
            script += [*(f"-X {chain}" for chain in chains), "COMMIT"]
    return "".join(f"{line}\n" for line in script)


def _jumps_to_own(rule: str) -> bool:
    """Whether a rule of somebody else's chain jumps to one of a cluster's."""
    words = rule.split()
    target = words[words.index("-j") + 1] if "-j" in words else ""
    return bool(OWN_CHAIN.fullmatch(target)) and not OWN_CHAIN.fullmatch(words[1])


def _tables(saved: str) -> list[tuple[str, list[str]]]:
    tables: list[tuple[str, list[str]]] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append((line[1:], []))
        elif tables:
            tables[-1][1].append(line)
    return tables


def cni_configuration(state: State) -> dict[str, object]:
    """How containerd hangs a pod on the bridge. No masquerading here: one rule does it for all pods."""
    return {
        "cniVersion": "0.4.0",
        "name": f"streamjob-{state.identity}",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isDefaultGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": POD_RANGE}]],
                    "dataDir": str(state.run / "addresses"),
                },
            }
        ],
    }


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
