"""ZooKeeper: its files and command lines. The server is the one that comes with Hadoop."""

from howdah.units import Bytes

_CONFIGURATION = """\
tickTime=500
initLimit=20
syncLimit=10
dataDir={folder}
standaloneEnabled=false
reconfigEnabled=true
admin.enableServer=false
4lw.commands.whitelist=srvr,ruok,mntr
autopurge.purgeInterval=1
autopurge.snapRetainCount=3
maxSessionTimeout=40000
server.1={host}:2888:3888:participant;0.0.0.0:2181
"""
# dynamic configuration from the first start, so that one member can become three; ZooKeeper rewrites the file itself.

_FORMAT = """\
import os, sys
folder, text = sys.argv[1:]
if not os.path.exists(folder + "/version-2"):
    for name, content in (("zoo.cfg", text), ("myid", "1\\n"), ("initialize", "")):
        with open(folder + "/" + name, "w") as file:
            file.write(content)
"""


def format_command(folder: str, host: str) -> tuple[str, ...]:
    """What prepares the empty data folder of a first member, once.

    The file ``initialize`` is what tells a new member from an emptied one: without it, and with
    ``zookeeper.db.autocreate=false``, a server with no data does not claim to be a server whose data is empty.
    """
    return "python3", "-I", "-S", "-c", _FORMAT, folder, _CONFIGURATION.format(folder=folder, host=host)


def command(folder: str, memory: Bytes) -> tuple[str, ...]:
    """What runs a server on a prepared folder."""
    return (
        "java",
        "@/opt/howdah/jvm/hadoop.args",
        f"-Xmx{memory.mebibytes // 3}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dzookeeper.db.autocreate=false",
        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        f"{folder}/zoo.cfg",
    )
