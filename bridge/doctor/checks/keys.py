"""How the latest records are spread over keys and partitions."""

from collections import Counter

from bridge.doctor.check import Check, Findings
from bridge.doctor.sample import Sample
from bridge.doctor.scene import Role, Scene
from bridge.findings import Finding
from connectors.counted import counted

_FEW = 200
"""Of fewer records a share tells nothing."""
_HOT_KEY = 0.25
_HOT_PARTITION = 3.0
"""Times the share that each would have, were all the same."""
_LONGEST = 40


class Keys(Check):
    name = "keys"
    needs = frozenset({Role.SOURCE})

    async def run(self, scene: Scene) -> Findings:
        sample = await scene.ends[Role.SOURCE].sample()
        if sample.records < _FEW:
            return (self.skipped(f"the shares of keys in {sample}", f"they are fewer than {_FEW}"),)
        return self._hottest_key(sample), self._hottest_partition(sample), *self._without_key(sample)

    def _hottest_key(self, sample: Sample) -> Finding:
        keys = Counter(key for batch in sample.batches for key in batch.keys if key is not None)
        key, count = keys.most_common(1)[0] if keys else (b"", 0)
        share = count / sample.records
        found = f"the hottest of {counted(len(keys), 'key')}, {_shown(key)}, has {share:.0%} of {sample}"
        if share < _HOT_KEY:
            return self.ok(found)
        reason = "a key stays in one shard or partition, whose limits are its own; no other helps"
        return self.warning(found, reason, "let its producers divide it; or reckon with what one partition takes")

    def _hottest_partition(self, sample: Sample) -> Finding:
        partitions: Counter[str] = Counter()
        for batch in sample.batches:
            partitions[batch.partition] += len(batch)
        name, count = partitions.most_common(1)[0]
        share = count / sample.records
        found = f"the hottest of {counted(sample.partitions, 'partition')}, {name}, has {share:.0%} of {sample}"
        if not sample.is_whole:
            return self.ok(found, "only some of each were read: this tells little")
        if sample.partitions > 1 and share >= min(0.9, _HOT_PARTITION / sample.partitions):
            reason = "its lane sets the pace: others idle while it lags"
            return self.warning(found, reason, "spread the keys better; a stream: split that shard")
        return self.ok(found)

    def _without_key(self, sample: Sample) -> Findings:
        count = sum(key is None for batch in sample.batches for key in batch.keys)
        if not count:
            return ()
        reason = "a record without a key goes anywhere, and is in no order with others"
        found = f"{count / sample.records:.0%} of {sample} have no key"
        return (self.warning(found, reason, "let producers set one, where order matters"),)


def _shown(key: bytes) -> str:
    text = repr(key)[1:]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
