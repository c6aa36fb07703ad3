/** Session events as the line protocol shows them; terminals draw the same. */
import type { RosterMember } from '../crypto/roster.ts';
import type { SessionEvent, ShownMember } from '../member/events.ts';
import { toBase64url } from '../protocol/bytes.ts';
import { ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import type { JsonEvent, MemberView, PersonView } from '../terminal/json-lines.ts';

const CONVERSATION = toBase64url(ROOM_CONVERSATION);

function personView(member: RosterMember): PersonView {
  return { id: toBase64url(member.memberId), nick: member.nick };
}

function memberView({ member, online }: ShownMember): MemberView {
  return {
    ...personView(member),
    fingerprint: toBase64url(member.identity),
    role: member.role,
    online,
  };
}

export function jsonEvents(event: SessionEvent): readonly JsonEvent[] {
  switch (event.kind) {
    case 'joined': {
      const self = { ...personView(event.self), fingerprint: toBase64url(event.self.identity) };
      const room = { id: toBase64url(event.roomId), name: event.roomName };
      return [{ type: 'joined', room, self, members: event.members.map(memberView) }];
    }
    case 'live':
      return event.again
        ? [{ type: 'notice', level: 'info', code: 'reconnected', text: 'Back in the room.' }]
        : [];
    case 'roster': {
      const { added, changed, removed } = event.change;
      return [
        ...added.map(
          (member): JsonEvent => ({
            type: 'member',
            change: 'joined',
            member: memberView({ member, online: true }),
          }),
        ),
        ...changed.map(
          ({ before, after }): JsonEvent => ({
            type: 'member',
            change: 'renamed',
            member: memberView({ member: after, online: true }),
            formerNick: before.nick,
          }),
        ),
        ...removed.map(
          ({ member, reason }): JsonEvent => ({
            type: 'member',
            change: reason === 'removed' ? 'removed' : 'left',
            member: memberView({ member, online: false }),
            ...(reason === 'absent' && { reason: 'absent for too long' }),
          }),
        ),
      ];
    }
    case 'presence':
      return [{ type: 'member', change: event.online ? 'online' : 'offline', member: memberView(event) }];
    case 'message':
      return [
        {
          type: 'message',
          id: event.id,
          conversation: CONVERSATION,
          kind: event.content,
          from: personView(event.from),
          text: event.text,
          at: new Date(event.atMs).toISOString(),
          own: event.own,
          ...(event.ref !== null && { ref: event.ref }),
        },
      ];
    case 'unopened':
      return [
        {
          type: 'notice',
          level: 'warning',
          code: 'unopened',
          text: `A message of ${event.from.nick} could not be opened.`,
        },
      ];
    case 'notice':
      return [{ type: 'notice', level: event.level, code: event.code, text: event.text }];
    case 'alarm':
      return [
        {
          type: 'notice',
          level: 'alarm',
          code: event.code,
          text: event.text,
          ...(event.evidence !== null && { evidence: event.evidence }),
        },
      ];
    case 'closed':
      return [{ type: 'closed', code: event.reason, reason: event.text }];
  }
}
