/** Another program with a room open: commits one part, writes another, and waits to be killed. */
import { leafHash } from '../../src/crypto/log-hash.ts';
import { ciphertext, hash, invitationId } from '../../src/protocol/identifiers.ts';
import { openDatabase } from '../../src/storage/room-database.ts';
import { storeOn } from '../helpers/room-file.ts';

const [path = ''] = process.argv.slice(2);
const store = storeOn(openDatabase(path, 'host'), path);

function append(text: string): void {
  const bytes = {
    header: Buffer.from(text),
    ciphertext: ciphertext(Buffer.from(text)),
    signature: Buffer.of(1),
  };
  store.log.append({ kind: 'message', placedAtMs: 1, leaf: leafHash(bytes), ...bytes });
}

function invite(triesLeft: number): void {
  store.saveInvitation({
    ...{ id: invitationId(new Uint8Array(8)), admissionKey: new Uint8Array(32), expiresAtMs: 1, uses: 1 },
    ...{ usesLeft: 1, triesLeft, revoked: false, suspended: false, role: 'member' },
  });
}

store.saveRoster({
  ...{ operation: { bytes: Buffer.of(1), signature: Buffer.of(2) }, members: [], epoch: 1 },
  ...{ hash: hash(new Uint8Array(32)), lastRemovalEpoch: 0, usedActs: [] },
});
append('first');
append('second');
invite(4);
invite(3);
store.commit();
append('third');
invite(2);
process.stdout.write('ready\n');
setInterval(() => {}, 60_000);
