"""The feedback API beside pgbench, and the queue as it grows."""
