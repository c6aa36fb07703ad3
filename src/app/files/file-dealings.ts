/** What a chat needs to send and take files: nothing before there is a session. */
import type { ChatOptions } from '../chat.ts';
import type { Membership } from '../membership.ts';
import type { HostOptions, JoinOptions } from '../options.ts';

export function fileDealings(
  membership: Membership,
  { files: settings }: Pick<HostOptions | JoinOptions, 'files'>,
): Pick<ChatOptions, 'files'> {
  const book = membership.session?.files;
  return book === undefined ? {} : { files: { membership, settings, book } };
}
