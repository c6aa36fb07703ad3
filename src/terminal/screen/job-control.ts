/** Ctrl-Z and `fg`, where the system has them. */

export interface JobControl {
  /** Stops this process and those started with it, as the terminal's own Ctrl-Z does. Returns once it goes on. */
  stop(): void;
  /** @returns what takes the listener away again */
  onContinue(listener: () => void): () => void;
}

/** @returns null on Windows, whose shells stop nothing. */
export function jobControl(): JobControl | null {
  if (process.platform === 'win32') return null;
  return {
    stop: () => {
      process.kill(0, 'SIGTSTP');
    },
    onContinue(listener) {
      process.on('SIGCONT', listener);
      return () => process.off('SIGCONT', listener);
    },
  };
}
