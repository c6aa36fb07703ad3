/** From settings to the options that give them. */
import type { Setting } from './setting.ts';

/** One long option. */
export interface OptionEntry {
  /** Without the dashes. */
  readonly name: string;
  readonly setting: Setting;
  /** What follows it; `null`: nothing does. */
  readonly argument: string | null;
  readonly summary: string;
  /** What an option without a value gives. */
  readonly gives: string;
  /** The argument may be left out. */
  readonly isOptional: boolean;
  /** Repeats the default: help leaves it out, and says once that there are such options. */
  readonly hidden: boolean;
}

export function optionsOf(setting: Setting): readonly OptionEntry[] {
  const { form, option, summary, offSummary } = setting;
  if (form.kind === 'flag') {
    const off = setting.fallback === false;
    const depends = setting.fallback === null;
    return [
      {
        ...{ name: option, setting, argument: null, gives: 'true', isOptional: false },
        // What depends may be wanted either way.
        summary: off || depends ? summary : '',
        hidden: !off && !depends,
      },
      {
        name: `no-${option}`,
        setting,
        argument: null,
        summary: off ? '' : offSummary,
        gives: 'false',
        isOptional: false,
        hidden: off,
      },
    ];
  }
  if (form.kind === 'flags') {
    return form.choices.map((choice) => ({
      name: choice.value,
      setting,
      argument: null,
      summary: choice.summary,
      gives: choice.value,
      isOptional: false,
      hidden: false,
    }));
  }
  const described = `${summary}${noteOf(setting)}`;
  const isOptional = 'isOptional' in form && form.isOptional === true;
  const { argument } = form;
  return [{ name: option, setting, argument, summary: described, gives: '', isOptional, hidden: false }];
}

/** Choices and default, as help and manual add them. */
function noteOf({ form, fallbackText, option }: Setting): string {
  if (form.kind === 'choice') return `: ${form.choices.join(', ')} (default: ${fallbackText})`;
  if (fallbackText === 'none' || option === 'config') return '';
  return fallbackText === 'asked for' ? ' (asked for when not given)' : ` (default: ${fallbackText})`;
}
