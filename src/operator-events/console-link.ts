import type { Settings } from '../config/settings';

/** Returns the link to a page of the console: its path alone if nobody has set the address. */
export function consoleLink(
  { CONSOLE_URL, PUBLIC_URL }: Pick<Settings, 'CONSOLE_URL' | 'PUBLIC_URL'>,
  page: string,
): string {
  const base = CONSOLE_URL ?? (PUBLIC_URL === undefined ? '' : `${withoutSlash(PUBLIC_URL)}/console`);
  return base === '' ? `/console${page}` : `${withoutSlash(base)}${page}`;
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
