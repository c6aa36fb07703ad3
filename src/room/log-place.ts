/** Where a member stands in one log: how far they have it, and where their sender chain is as far as the host checks it. */
import type { Hash, IdKey } from '../protocol/identifiers.ts';
import type { KeptPlace } from './store.ts';

/** Placed messages remembered by number, so that one sent again is answered with its index: several send windows. */
const PLACED_KEPT = 64;

/** A sender's chain as far as the host checks it: order, never keys. */
export interface HostChain {
  readonly chainKey: IdKey;
  readonly epoch: number;
  lastN: number;
  lastLeaf: Hash;
  readonly placed: Map<number, { readonly leaf: Hash; readonly index: number }>;
}

export class LogPlace {
  /** Where they came in: nothing before it is for them. */
  readonly from: number;
  /** They have the log up to here for good. */
  acknowledged: number;
  chain: HostChain | null = null;
  /** Of the latest chain: none before it is taken up again. */
  chainSequence = -1;
  /** They have said nothing of this log yet: it begins for them where they came in, with the list as of there. */
  isNew: boolean;

  /** @param from the log's index as they come in */
  constructor(from: number, acknowledged = from, isNew = true) {
    this.from = from;
    this.acknowledged = acknowledged;
    this.isNew = isNew;
  }

  acknowledge(index: number): void {
    this.acknowledged = index;
    this.isNew = false;
  }

  static restore({ from, acknowledged, chainSequence, chain, isNew }: KeptPlace): LogPlace {
    const place = new LogPlace(from, acknowledged, isNew);
    place.chainSequence = chainSequence;
    if (chain !== null) {
      const { key: chainKey, ...rest } = chain;
      place.chain = { chainKey, ...rest, placed: new Map() };
    }
    return place;
  }

  get kept(): KeptPlace {
    const { from, acknowledged, chainSequence, chain, isNew } = this;
    return {
      from,
      acknowledged,
      isNew,
      chainSequence,
      chain:
        chain === null
          ? null
          : { key: chain.chainKey, epoch: chain.epoch, lastN: chain.lastN, lastLeaf: chain.lastLeaf },
    };
  }

  rememberPlaced(n: number, leaf: Hash, index: number): void {
    const { chain } = this;
    if (chain === null) return;
    chain.lastN = n;
    chain.lastLeaf = leaf;
    chain.placed.set(n, { leaf, index });
    if (chain.placed.size > PLACED_KEPT) {
      const oldest = chain.placed.keys().next().value;
      if (oldest !== undefined) chain.placed.delete(oldest);
    }
  }
}
