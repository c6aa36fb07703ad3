/** What moderators and the host may do to keep the room bearable. */
import { kick, nickAndDuration, nothing, oneNick, slow } from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const ORDER: readonly Command[] = [
  ...commands('Keeping order', 'moderators', [
    {
      name: 'kick',
      usage: 'NICK',
      summary: 'remove a member; everyone is shown it',
      details: 'The invitation they came by is suspended, because they still have it.',
      completes: ['nick'],
      parse: kick,
    },
    {
      name: 'ban',
      usage: 'NICK [DURATION]',
      summary: 'remove a member and keep their key and nickname out',
      details:
        'Without a duration (90s, 15m, 24h, 7d) it lasts until /unban. Someone who holds another invitation can still come back under a new key and name: personal invitations and /approve on keep them out.',
      completes: ['nick'],
      parse: nickAndDuration('ban'),
    },
    {
      name: 'unban',
      usage: 'NICK',
      summary: 'take a ban back',
      completes: ['banned'],
      parse: oneNick((nick) => ({ name: 'unban', nick })),
    },
    {
      name: 'mute',
      usage: 'NICK [DURATION]',
      summary: 'let a member read but not speak',
      details: 'Without a duration (90s, 15m, 24h, 7d) it lasts until /unmute.',
      completes: ['nick'],
      parse: nickAndDuration('mute'),
    },
    {
      name: 'unmute',
      usage: 'NICK',
      summary: 'let a member speak again',
      completes: ['nick'],
      parse: oneNick((nick) => ({ name: 'unmute', nick })),
    },
    {
      name: 'slow',
      usage: 'SECONDS|off',
      summary: 'one message a member in so many seconds',
      details: 'Moderators and the host are exempt.',
      completes: [['off', '10', '30', '60']],
      parse: slow,
    },
    {
      name: 'lock',
      summary: 'let nobody new in; members who lost their line come back',
      details: 'Whoever waited at the door for the host waits on, and only /admit lets them in.',
      parse: nothing({ name: 'lock' }),
    },
    { name: 'unlock', summary: 'let people in again', parse: nothing({ name: 'unlock' }) },
  ]),
  ...commands('Keeping order', 'host', [
    { name: 'banned', summary: 'show who is banned, and how long', parse: nothing({ name: 'banned' }) },
    {
      name: 'op',
      usage: 'NICK',
      summary: 'make a member a moderator',
      details:
        'Moderators kick, ban, mute, lock, slow down and set the topic; each act carries their signature, and everyone is shown it.',
      completes: ['nick'],
      parse: oneNick((nick) => ({ name: 'op', nick })),
    },
    {
      name: 'deop',
      usage: 'NICK',
      summary: 'make a moderator a plain member',
      completes: ['nick'],
      parse: oneNick((nick) => ({ name: 'deop', nick })),
    },
  ]),
];
