/** What `/timestamp`, `/quiet`, `/bell`, `/notify`, `/ids` and `/theme` change, and what they say about it. */
import type { DisplayCall } from '../commands/calls.ts';
import type { Preferences } from './preferences.ts';

type PreferenceCall = Extract<DisplayCall, { readonly value: unknown }>;

const TEXTS = {
  timestamp: {
    minutes: 'Times are shown as hours and minutes.',
    seconds: 'Times are shown with seconds.',
    off: 'Times are not shown.',
  },
  quiet: {
    true: 'Who comes and goes is left out; removals and alarms are not.',
    false: 'Who comes and goes is shown.',
  },
  bell: {
    on: 'The bell rings when you are named.',
    off: 'The bell does not ring.',
    all: 'The bell rings at every message of others.',
  },
  notify: {
    true: 'When you are named while you look elsewhere, the terminal is asked for a desktop notification, without the text.',
    false: 'There are no desktop notifications.',
  },
  ids: {
    true: 'Each message carries its number on this screen: /re 7 answers #7.',
    false: 'Messages carry no numbers.',
  },
  theme: {
    auto: 'Colours are those that do on dark and on light.',
    dark: 'Colours are for a dark background.',
    light: 'Colours are for a light background.',
  },
} as const;

/** @returns the preferences as they are from now on, and one sentence for the person. */
export function adjust(
  before: Preferences,
  call: PreferenceCall,
): { readonly preferences: Preferences; readonly text: string } {
  switch (call.name) {
    case 'timestamp': {
      const timestamps = call.value ?? before.timestamps;
      return { preferences: { ...before, timestamps }, text: TEXTS.timestamp[timestamps] };
    }
    case 'quiet': {
      const quiet = call.value ?? before.quiet;
      return { preferences: { ...before, quiet }, text: TEXTS.quiet[`${quiet}`] };
    }
    case 'bell': {
      const bell = call.value ?? before.bell;
      return { preferences: { ...before, bell }, text: TEXTS.bell[bell] };
    }
    case 'notify': {
      const notify = call.value ?? before.notify;
      return { preferences: { ...before, notify }, text: TEXTS.notify[`${notify}`] };
    }
    case 'ids': {
      const ids = call.value ?? before.ids ?? false;
      return { preferences: { ...before, ids }, text: TEXTS.ids[`${ids}`] };
    }
    case 'theme': {
      const theme = call.value ?? before.theme;
      return { preferences: { ...before, theme }, text: TEXTS.theme[theme] };
    }
  }
}
