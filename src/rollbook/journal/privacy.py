"""Who may read a data directory: its owner alone, for it holds the secrets of clusters and webhooks.

One rule: a file system that refuses is logged, and no reason not to start.
"""

import logging
from pathlib import Path

OTHERS = 0o077

logger = logging.getLogger(__name__)


def close_to_others(directory: Path) -> None:
    """Take all permissions on the directory and the files in it away from everybody but their owner."""
    try:
        paths = [directory, *(path for path in directory.iterdir() if not path.is_symlink())]
    except OSError as problem:
        logger.warning("%s can't be closed to other users: %s", directory, problem.strerror)
        return
    for path in paths:
        try:
            mode = path.stat().st_mode & 0o7777
            if mode & OTHERS:
                path.chmod(mode & ~OTHERS)
        except FileNotFoundError:
            continue  # it was a file for a moment
        except OSError as problem:
            logger.warning("%s can't be closed to other users: %s", path, problem.strerror)
            return
