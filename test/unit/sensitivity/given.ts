import type { DeliberateFault, NoticedByVerify } from '../../sensitivity/deliberate-fault';

export const VERIFY_RUN: NoticedByVerify = { seed: 2, seconds: 20, kinds: [], breaches: ['changed'] };

export function faultNoticedBy(
  noticedBy: DeliberateFault['noticedBy'],
  others: Partial<DeliberateFault> = {},
): DeliberateFault {
  return { name: 'a fault', stage: 'cache', edits: [], noticedBy, ...others };
}
