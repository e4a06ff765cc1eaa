"""Only `make test-patroni` runs what is here: it takes minutes, and needs Patroni and etcd."""

import os

collect_ignore = [] if os.environ.get("ROLLBOOK_TEST_PATRONI") else ["test_failover.py"]
