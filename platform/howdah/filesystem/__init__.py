"""HDFS from the host: nothing published, no name in the host's hosts file, no JVM started."""
