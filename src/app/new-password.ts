/** A password for an account, asked for in the middle of a talk: twice, and shown to nobody. */
import { answerStrength, newPassword } from '../crypto/answer.ts';
import { askUntil, isTypedAgain } from './ask-until.ts';
import type { Front } from './front/front.ts';

const HINT =
  'With it, and an invitation, answer and code as always, you are the same member on another device. The host never sees it, and nobody can reset it.';
const WEAK =
  'That password is weak: whoever gets a copy of what the host keeps could find it by trying. Several words are best; /register again changes it.';

/** @throws GaveUpError when the person changes their mind, or is gone */
export async function askNewPassword(front: Pick<Front, 'ask' | 'emit'>): Promise<string> {
  const asked = { name: 'password', message: 'A password for your nickname here?', secret: true };
  let problem: string | null = null;
  for (;;) {
    const chosen: string = await askUntil(front, { ...asked, hints: [HINT] }, problem, newPassword);
    if (await isTypedAgain(front, asked.name, chosen)) {
      if (answerStrength(chosen.toLowerCase()) === 'weak')
        front.emit({ type: 'notice', level: 'warning', code: 'weak-password', text: WEAK });
      return chosen;
    }
    problem = 'The two are not the same. Nothing has been registered.';
  }
}
