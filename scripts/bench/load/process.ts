/** The load: all members of all servers under test, in one process on a core of its own. */
import { serve } from '../calls.ts';
import type { Entrance, Position } from '../host-process.ts';
import { ownUsage, type Usage } from '../usage.ts';
import type { Fleet, Hearers, HostName, ServerName } from './fleet.ts';
import { FloorFleet } from './floor-fleet.ts';
import { HostFleet, type HostFleetStart } from './host-fleet.ts';
import { IrcFleet } from './irc-fleet.ts';
import { type Flow, type Pace, Traffic } from './traffic.ts';

const traffic = new Traffic();
const hosts = new Map<HostName, HostFleet>();
let floor: FloorFleet | null = null;
let irc: IrcFleet | null = null;

function here<F extends Fleet>(fleet: F | null | undefined): F {
  if (fleet == null) throw new Error('that fleet has not begun');
  return fleet;
}

function fleetOf(server: ServerName): Fleet {
  if (server === 'floor') return here(floor);
  return server === 'ngircd' ? here(irc) : here(hosts.get(server));
}

type Of<Input> = { readonly name: HostName } & Input;

const calls = {
  async beginHost({ name, ...start }: Of<HostFleetStart>): Promise<void> {
    hosts.set(name, await HostFleet.begin(start, traffic.delivered));
  },
  beginFloor(address: { readonly port: number; readonly tlsPin: Uint8Array }): void {
    floor = new FloorFleet(address, traffic.delivered);
  },
  beginIrc({ port }: { readonly port: number }): void {
    irc = new IrcFleet(port, traffic.delivered);
  },
  growHost: (input: Of<{ readonly entrance: Entrance; readonly count: number }>): Promise<void> =>
    here(hosts.get(input.name)).grow(input.entrance, input.count),
  growFloor: ({ count }: { readonly count: number }): Promise<void> => here(floor).grow(count),
  growIrc: ({ count }: { readonly count: number }): Promise<void> => here(irc).grow(count),
  see: (input: Of<{ readonly position: Position }>): void => here(hosts.get(input.name)).see(input.position),
  nicks: (input: Of<{ readonly count: number }>): readonly string[] =>
    here(hosts.get(input.name)).nicks(input),
  giveUp: ({ name }: Of<unknown>): { readonly nick: string } => here(hosts.get(name)).giveUp(),
  renew: (input: Of<Parameters<HostFleet['renew']>[0]>): Promise<void> =>
    here(hosts.get(input.name)).renew(input),
  reached: (input: Of<Parameters<HostFleet['reached']>[0]>): Promise<void> =>
    here(hosts.get(input.name)).reached(input),
  prepare: (input: {
    readonly server: ServerName;
    readonly messages: number;
    readonly hearers: Hearers;
  }): Promise<void> => fleetOf(input.server).prepare(input.messages, input.hearers),
  run: (input: {
    readonly server: ServerName;
    readonly messages: number;
    readonly pace: Pace;
  }): Promise<Flow> => traffic.run(fleetOf(input.server), input.messages, input.pace),
  usage: (): Usage => ownUsage({ settled: false }),
};
export type LoadCalls = typeof calls;

serve(calls);
