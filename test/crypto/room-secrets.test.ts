import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRoomSecrets, sealRoomSecrets } from '../../src/crypto/room-secrets.ts';
import { dsaIdentity, rsaIdentity } from '../helpers/keys.ts';

const SECRETS = {
  version: 1,
  keyPem: 'a TLS key',
  certPem: 'its certificate',
  setup: 'setup',
  record: 'record',
  identity: Uint8Array.of(1, 2, 3),
};

test("a room's secrets open for its owner alone, and only as they were sealed", async () => {
  const owner = await rsaIdentity(0);
  const sealed = sealRoomSecrets(owner, SECRETS);
  assert.deepEqual(openRoomSecrets(owner, sealed), SECRETS);
  assert.equal(openRoomSecrets(await dsaIdentity(0), sealed), null);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(openRoomSecrets(owner, changed), null);
    assert.equal(openRoomSecrets(owner, sealed.subarray(0, at)), null);
  }
  assert.notDeepEqual(sealRoomSecrets(owner, SECRETS), sealed);
});
