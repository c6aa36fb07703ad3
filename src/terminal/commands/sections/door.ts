/** Whom the host lets in, and how. */
import { choice, invite, nothing, ON_OFF, oneNick } from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const DOOR: readonly Command[] = commands('The door', 'host', [
  {
    name: 'invite',
    usage: '[new [USES] [DURATION] [LABEL]|list|show ID|qr [ID]|save ID FILE|revoke ID|resume ID|raw]',
    summary: 'make, list, show, withdraw or reopen invitations',
    details:
      '/invite new Ann makes one for one person; /invite new 5 2h team one for five within two hours. qr draws a QR code, save writes it to a file for --token-file, raw shows the bare Fernet token and key.',
    completes: [
      ['new', 'list', 'show', 'qr', 'save', 'revoke', 'resume', 'raw'],
      { kind: 'invitation', acts: ['show', 'qr', 'save', 'revoke', 'resume'] },
      { kind: 'path', acts: ['save'] },
    ],
    parse: invite,
  },
  {
    name: 'qr',
    usage: '[ID]',
    summary: 'draw the latest invitation, or another, as a QR code',
    completes: ['invitation'],
    parse: ([id, ...rest]) => (rest.length > 0 ? null : { name: 'invite', act: 'qr', id: id ?? null }),
  },
  { name: 'code', summary: 'show the room code and how long it lives', parse: nothing({ name: 'code' }) },
  { name: 'door', summary: 'show who stands at the door, and where', parse: nothing({ name: 'door' }) },
  {
    name: 'approve',
    usage: '[on|off]',
    summary: 'let people in by hand',
    details:
      'Whoever has everything right then waits until you /admit or /deny them. Off lets all who wait in.',
    completes: [Object.keys(ON_OFF)],
    parse: choice(ON_OFF, (value) => ({ name: 'approve', value })),
  },
  {
    name: 'admit',
    usage: 'NICK|NUMBER',
    summary: 'let someone in who waits at the door',
    completes: ['waiting'],
    parse: oneNick((who) => ({ name: 'admit', who })),
  },
  {
    name: 'deny',
    usage: 'NICK|NUMBER',
    summary: 'turn someone away who stands at the door',
    completes: ['visitor'],
    parse: oneNick((who) => ({ name: 'deny', who })),
  },
]);
