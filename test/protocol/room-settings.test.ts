/** How long a room's texts may be, and which refusal says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/protocol/limits.ts';
import { settingsProblem } from '../../src/protocol/room-settings.ts';

test('each setting has its limit, in bytes of UTF-8 and in seconds', () => {
  const { topicBytes, motdBytes, slowSecondsMost } = LIMITS;
  const most = {
    topic: 'é'.repeat(topicBytes / 2),
    motd: 'x'.repeat(motdBytes),
    slowSeconds: slowSecondsMost,
    locked: true,
    approval: true,
    staySeconds: LIMITS.stayMsMost / 1_000,
    edits: false,
    readReceipts: false,
  };
  assert.equal(settingsProblem(most), null);
  assert.equal(settingsProblem({}), null);
  const problems = [
    [{ topic: `${most.topic}x` }, 'text-too-long', `A topic is at most ${topicBytes} bytes of UTF-8.`],
    [
      { motd: `${most.motd}x` },
      'text-too-long',
      `A message of the day is at most ${motdBytes} bytes of UTF-8.`,
    ],
    ...[slowSecondsMost + 1, -1, 1.5, Number.NaN].map(
      (slowSeconds) =>
        [{ slowSeconds }, 'bad-setting', `Slow mode is 0 to ${slowSecondsMost} seconds.`] as const,
    ),
  ] as const;
  for (const [part, code, message] of problems) {
    const problem = settingsProblem({ ...most, ...part });
    assert.deepEqual([problem?.code, problem?.message], [code, message]);
  }
  const [least, longest] = [LIMITS.stayMsLeast / 1_000, LIMITS.stayMsMost / 1_000];
  for (const staySeconds of [0, least, longest]) assert.equal(settingsProblem({ staySeconds }), null);
  for (const staySeconds of [-1, 1, least - 1, least + 0.5, longest + 1, Number.NaN]) {
    const problem = settingsProblem({ ...most, staySeconds });
    assert.deepEqual(
      [problem?.code, problem?.message],
      ['bad-setting', 'Messages stay 30s to 30d, or as long as members keep them.'],
    );
  }
  assert.equal(settingsProblem({ topic: 'tea' }, { ...LIMITS, topicBytes: 2 })?.code, 'text-too-long');
});
