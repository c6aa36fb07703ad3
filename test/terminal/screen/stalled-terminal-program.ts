/** Run by `stalled-terminal.test.ts`: fills its terminal, then tells a port that it goes on. */
import { connect } from 'node:net';
import { openScreen } from '../../../src/terminal/screen/prompt.ts';

const screen = openScreen(process.stdin, process.stdout, { plain: false });
const LINE = 'x'.repeat(1_000);
let printed = 0;

function printMore(): void {
  for (let line = 0; line < 100; line += 1) screen.print(LINE);
  printed += 1;
  if (printed < 20) setImmediate(printMore);
  else connect(Number(process.argv[2]), '127.0.0.1').end('still here');
}
printMore();
