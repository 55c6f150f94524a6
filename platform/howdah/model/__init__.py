"""Values: what a cluster, a volume, a data set and a host are. No I/O, no clock."""
