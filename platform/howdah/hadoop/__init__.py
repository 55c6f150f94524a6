"""From the model to Hadoop's configuration: files, command lines, sizes. Pure: no I/O, no clock."""
