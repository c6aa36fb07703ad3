/** Offering files and taking them. */
import { nothing } from '../arguments.ts';
import { type Command, commands } from '../command.ts';
import { accept, ofNumbers, send } from '../file-arguments.ts';

export const FILES: readonly Command[] = commands('Files', 'everyone', [
  {
    name: 'send',
    usage: 'PATH... [to NICK|NAME]',
    summary: 'offer files or folders to those who read what you type, or to one member or conversation',
    details:
      'Nothing travels before somebody accepts. A name with spaces stands in quotation marks, or with a backslash before each space; a file called "to" is ./to.',
    completes: ['paths'],
    parse: send,
  },
  {
    name: 'accept',
    usage: '[N...|all] [to FOLDER]',
    summary: 'take a file that is offered: the latest, or those of these numbers',
    details:
      'It goes into the folder of --downloads, and takes its name only when all of it is there and is what was offered. Nothing that is there already is written over.',
    completes: ['offers'],
    parse: accept,
  },
  {
    name: 'decline',
    usage: '[N...|all]',
    summary: 'say that you do not want a file: the latest, or those of these numbers',
    completes: ['offers'],
    parse: ofNumbers('decline'),
  },
  {
    name: 'cancel',
    usage: '[N...|all]',
    summary: 'stop taking a file, or take your own offer back',
    details: 'Without a number the latest. What others have of your file already stays theirs.',
    completes: ['transfers'],
    parse: ofNumbers('cancel'),
  },
  {
    name: 'files',
    summary: 'show what is offered and under way, with the numbers for /accept, /decline and /cancel',
    parse: nothing({ name: 'files' }),
  },
]);
