/** The other journeys run the executable; whoever works on the program runs its sources, workers and all. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { journey, PROGRAM } from '../helpers/program.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** In the place of the words that start the executable. */
const SOURCES = ['sh', '-c', `shift ${PROGRAM.length}; exec '${process.execPath}' '${MAIN}' "$@"`, 'sh'];

journey('host and guest run from source, beside a guest with the executable', async (stage) => {
  const room = await stage.room([], SOURCES);
  const ann = await stage.guest('ann', room, { wrapper: SOURCES });
  const bob = await stage.guest('bob', room);
  ann.say('from the sources');
  for (const one of [room.host, bob]) await one.until('message', { text: 'from the sources' });
  bob.say('to the sources');
  await ann.until('message', { text: 'to the sources' });
  assert.deepEqual([ann.stderr, room.host.stderr], ['', '']);
});
