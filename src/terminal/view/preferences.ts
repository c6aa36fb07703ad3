/** What a person chose about how things look and sound; it changes nothing of what happens. */

export type Preferences = {
  readonly timestamps: 'minutes' | 'seconds' | 'off';
  /** Leaves out who comes and goes. */
  readonly quiet: boolean;
  /** `on`: rings when oneself is named; `all`: at every message. */
  readonly bell: 'on' | 'off' | 'all';
  /** Desktop notifications, without what was said. */
  readonly notify: boolean;
  /** A text that begins with `@nick` goes to that member alone. */
  readonly atDirect: boolean;
  readonly theme: 'auto' | 'dark' | 'light';
  /** Of files that were accepted; left out: as the terminal can. */
  readonly pictures?: 'auto' | 'off';
  /** A number before each message; left out: none. */
  readonly ids?: boolean;
};
