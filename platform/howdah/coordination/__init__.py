"""Where intent is kept: records in ZooKeeper, the lock and its fence; and the same in memory."""
