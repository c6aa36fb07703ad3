/** What the command line may know of the process it runs in; tests give their own. */
export interface Surroundings {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** Of the terminal that standard error goes to, where it does. */
  readonly stderrColumns?: number | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** Where the configuration file lies unless told otherwise; `null` for an account without a home. */
  configPath(): Promise<string | null>;
  /** Where saved rooms lie; `null` for an account without a home. */
  savedFolder(): Promise<string | null>;
  writeOut(text: string): void;
  writeErr(text: string): void;
  /** Asks a person at the terminal. `null`: they gave up. */
  askRole(): Promise<'s' | 'c' | null>;
}
