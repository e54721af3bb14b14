"""What a worker answers its fellows, so that several are one gate to everybody.

What a request asks one of them for, it gathers from all; what a request changes in one of them,
holds in all when it has its answer.
"""

from datetime import datetime

from indexgate.web.health import Health
from indexgate.web.joined_counts import told
from indexgate.web.metrics import Metrics
from indexgate.web.parts import Parts


def answer_fellows(parts: Parts, metrics: Metrics, health: Health) -> None:
    """Have the fellows answered."""
    fellows, policy = parts.fellows, parts.gate.policy

    async def counted() -> object:
        return told(metrics.readings())

    async def well() -> object:
        return health.report()

    async def seen(run: str) -> object:
        await parts.recorder.decisions.flush()
        trouble = parts.recorder.decisions.health().reason
        return {"trouble": trouble, "seen": parts.recorder.runs.of(run)}

    async def glass_opened(run: str, owner: str, reason: str, now: str) -> object:
        policy.glass.open(run, owner=owner, reason=reason, now=datetime.fromisoformat(now))
        return True

    async def glass_mended(run: str) -> object:
        return policy.glass.close(run)

    fellows.answer("metrics", counted)
    fellows.answer("health", well)
    fellows.answer("seen", seen)
    fellows.answer("glass-opened", glass_opened)
    fellows.answer("glass-mended", glass_mended)
