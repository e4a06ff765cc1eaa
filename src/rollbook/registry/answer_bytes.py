"""How many bytes of computed answers wait in memory for their readers, of all requests together.

Theory: an answer that is more than stored bytes (a projection, an aggregation, a page of history) is held until its
reader has taken it. Each is bounded, but a hundred that nobody reads are not. So all of them count against one bound,
while they are made; one that does not fit is refused (Overloaded). An answer gives its bytes back when it is freed.

One rule: what is small is never refused for what others hold. The first 256 KiB of an answer do not count.
"""

from collections.abc import Iterable
from threading import Lock

from rollbook.errors import Overloaded

FREE_BYTES = 256 * 1024
STEP_BYTES = 64 * 1024


class AnswerBytes:
    """The bytes of all answers that are held now. Safe for threads."""

    def __init__(self, bytes_max: float = float("inf")) -> None:
        self.held_bytes = 0
        self._bytes_max = bytes_max
        self._lock = Lock()

    def gather(self, bodies: Iterable[bytes]) -> "HeldAnswer":
        """An answer of these, made one by one."""
        answer = HeldAnswer(self)
        for body in bodies:
            answer.add(body)
        return answer

    def hold(self, size_bytes: int) -> None:
        """Count bytes more. Refuses (Overloaded) when there are too many."""
        with self._lock:
            if self.held_bytes + size_bytes > self._bytes_max:
                raise Overloaded(
                    f"answers of {self.held_bytes} bytes wait for their readers, and there may be {self._bytes_max}: "
                    "try again later, or ask for less (limit, projection)"
                )
            self.held_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Count bytes less."""
        with self._lock:
            self.held_bytes -= size_bytes


class HeldAnswer(list[bytes]):
    """The parts of one answer, counted as held until it is freed. To be extended by ``add`` only."""

    def __init__(self, among: AnswerBytes) -> None:
        super().__init__()
        self._among = among
        self._counted = 0
        self._uncounted = -FREE_BYTES

    def add(self, body: bytes) -> None:
        """Add a part. Refuses (Overloaded) one that there is no room for."""
        self._uncounted += len(body)
        if self._uncounted >= STEP_BYTES:
            self._among.hold(self._uncounted)
            self._counted, self._uncounted = self._counted + self._uncounted, 0
        self.append(body)

    def release(self) -> None:
        """Give the parts up."""
        self.clear()
        if self._counted:
            self._among.give_back(self._counted)
            self._counted = 0

    def __del__(self) -> None:
        self.release()
