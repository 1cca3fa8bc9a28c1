import { formatCount } from '../../format/numbers';

/** A limit for people. Null: that of the installation; 0: none. */
export function limitText(limit: number | null): string {
  if (limit === null) return 'as set for all';
  return limit === 0 ? 'no limit' : formatCount(limit);
}
