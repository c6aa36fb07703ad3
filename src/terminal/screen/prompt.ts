/** Asking one question, and choosing the screen to ask it on. */
import { PlainScreen } from './plain-screen.ts';
import { type ChatScreen, Screen, type ScreenInput, type ScreenOutput } from './screen.ts';
import { letWritesWait } from './unblock.ts';

/** The drawing screen where both ends are a terminal and nothing speaks against it, else the plain one. */
export function openScreen(
  input: ScreenInput,
  output: ScreenOutput,
  options: { readonly plain: boolean },
): ChatScreen {
  const draws = !options.plain && input.isTTY === true && output.isTTY === true;
  const isTerminal = output.isTTY === true;
  if (isTerminal) letWritesWait(output);
  return draws ? new Screen(input, output) : new PlainScreen(input, output, { mayDrop: isTerminal });
}

/**
 * @param prompt shown before what is typed; the question itself is printed by the caller
 * @returns the line, which for a plain screen may have been piped in long before. Until the next question, lines wait.
 */
export function askLine(
  screen: ChatScreen,
  question: { readonly prompt: string; readonly masked: boolean },
): Promise<string> {
  return new Promise((resolve) => {
    screen.setPrompt(question.prompt);
    screen.setMasked(question.masked);
    screen.onLine((line) => {
      screen.onLine(null);
      screen.setMasked(false);
      resolve(line);
    });
  });
}
