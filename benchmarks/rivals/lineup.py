"""Whom Rollbook is measured against: what somebody would pick instead, each as a small program of its own."""

from benchmarks.rivals.express_array import EXPRESS, EXPRESS_WITH_SIFT
from benchmarks.rivals.ferretdb_proxy import FERRETDB
from benchmarks.rivals.nginx import NGINX
from benchmarks.rivals.postgresql import POSTGRESQL
from benchmarks.rivals.rollbook import ROLLBOOK
from benchmarks.rivals.sqlite import SQLITE

RIVALS = (ROLLBOOK, NGINX, EXPRESS, EXPRESS_WITH_SIFT, SQLITE, FERRETDB, POSTGRESQL)
