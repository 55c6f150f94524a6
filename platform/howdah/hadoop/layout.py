"""Where things are inside a container: the same paths in every image and for every role."""

CONFIGURATION = "/etc/hadoop"
"""The static part of the bundle, read-only."""
LIVE = "/etc/howdah/live"
"""The live part of the bundle, read-only; its files are replaced by rename while daemons run."""

HOSTS_FILE = f"{LIVE}/hosts"
DATANODES_FILE = f"{LIVE}/dfs.hosts.json"
DERIVED_FILE = f"{LIVE}/derived.xml"
"""Properties that follow from how many instances there are. Every new JVM reads them; no daemon restarts for them."""

DATA = "/volume/data"
NAME_FOLDER = f"{DATA}/name"
BLOCK_FOLDER = f"{DATA}/data"
CHECKPOINT_FOLDER = f"{DATA}/checkpoint"

SCRATCH = "/scratch"
LOCAL_FOLDER = f"{SCRATCH}/local"
LOG_FOLDER = f"{SCRATCH}/logs"
STATE_FOLDER = f"{SCRATCH}/state"
RECOVERY_FOLDER = f"{SCRATCH}/recovery"

HADOOP_HOME = "/opt/hadoop"
HADOOP_JARS = f"{HADOOP_HOME}/lib/*"
SPARK_HOME = "/opt/spark"
SPARK_JARS = f"{SPARK_HOME}/jars/*"
HADOOP_ARGUMENTS = "/opt/howdah/jvm/hadoop.args"
JAVA_HOME = "/opt/howdah/java-home"
"""A Java home whose ``java`` adds the class archive; what the NodeManager starts its containers with."""

USER = "hadoop"
"""The user every process runs as, uid 10001."""
