/** The host's own hand on a test room: the real `HostControls`, and what it told. */
import { HostControls } from '../../src/app/hosting/host-controls.ts';
import type { HostCall } from '../../src/terminal/commands/calls.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import type { TestRoom } from './room.ts';

export interface Hand {
  readonly controls: HostControls;
  readonly told: JsonEvent[];
  /** Calls that went to the desk of the invitations. */
  readonly invited: HostCall[];
  /** Texts told since the last time. */
  texts(): readonly string[];
}

/** Over the real room: what comes of a call is what everyone in it is shown. */
export function handOn(room: TestRoom, told: JsonEvent[] = []): Hand {
  const at = room.room;
  const moment = () => room.clock.moment;
  const invited: HostCall[] = [];
  let read = 0;
  const controls = new HostControls({
    relay: {
      get members() {
        return at.members;
      },
      get position() {
        return at.position;
      },
      get settings() {
        return at.settings;
      },
      get code() {
        return at.code;
      },
      get atDoor() {
        return at.atDoor;
      },
      get bans() {
        return at.bans;
      },
      remove: (member) => room.perform(at.remove(member, moment())),
      ban: (member, forMs) => room.perform(at.ban(member, forMs, moment())),
      unban: (nick) => at.unban(nick),
      mute: (member, forMs) => room.perform(at.mute(member, forMs, moment())),
      unmute: (member) => room.perform(at.unmute(member, moment())),
      setRole: (member, role) => room.perform(at.setRole(member, role, moment())),
      change: (part) => room.perform(at.change(part, moment())),
      admit: (holder) => room.perform(at.admit(holder, moment())),
      deny: (holder) => room.perform(at.deny(holder, moment())),
    },
    desk: {
      obey(call) {
        invited.push(call);
        return Promise.resolve();
      },
      isOwn: () => false,
      names: ['1'],
      nameOf: () => '1',
      describe: () => 'invitation 1',
    },
    front: { emit: (event) => told.push(event) },
  });
  const texts = (): readonly string[] => {
    const fresh = told.slice(read);
    read = told.length;
    return fresh.flatMap((event) => {
      if (event.type === 'notice') return [event.text];
      return event.type === 'error' ? [`${event.code}: ${event.message}`] : [];
    });
  };
  return { controls, told, invited, texts };
}
