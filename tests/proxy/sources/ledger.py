"""A ledger in memory."""

from msgspec.structs import replace

from indexgate.sources.spending import Spending


class MemoryLedger:
    def __init__(self, *spendings: Spending) -> None:
        self.by_job = {spending.job: spending for spending in spendings}

    def reserve(self, spending: Spending, most: int) -> bool:
        if spending.job not in self.by_job:
            if self.spent(spending.source, spending.month) + spending.bytes_billed > most:
                return False
            self.by_job[spending.job] = spending
        return True

    def settle(self, job: str, bytes_billed: int) -> None:
        self.by_job[job] = replace(self.by_job[job], bytes_billed=bytes_billed, settled=True)

    def spent(self, source: str, month: str) -> int:
        mine = (one for one in self.by_job.values() if (one.source, one.month) == (source, month))
        return sum(one.bytes_billed for one in mine)

    def unsettled(self, source: str) -> tuple[Spending, ...]:
        mine = (one for one in self.by_job.values() if one.source == source and not one.settled)
        return tuple(sorted(mine, key=lambda one: one.at))
