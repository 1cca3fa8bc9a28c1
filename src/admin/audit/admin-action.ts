import type { OperatorRole } from '../../access/identity/operator-roles';

/** The actions of operators, as the audit trail names them, and the least role that each needs. */
export const ROLE_OF_ACTION = {
  'sign-in': 'owner',
  replay: 'operator',
  'replay.cancel': 'operator',
  'dlq.retry': 'support',
  'dlq.discard': 'support',
  'event.revise': 'operator',
  'deliveries.retry': 'support',
  'deliveries.discard': 'support',
  'rejections.resubmit': 'support',
  'rejections.discard': 'support',
  'outbox.retry': 'operator',
  'destination.create': 'operator',
  'destination.change': 'operator',
  'destination.delete': 'operator',
  'destination.pause': 'operator',
  'destination.resume': 'operator',
  'destination.backfill': 'operator',
  'destination.rotate-secret': 'operator',
  'source.create': 'operator',
  'source.change': 'operator',
  'source.delete': 'operator',
  'source.rotate-token': 'operator',
  'source.rotate-secret': 'operator',
  'expectation.put': 'operator',
  'expectation.delete': 'operator',
  erasure: 'owner',
  'erasure.cancel': 'owner',
  'tenant.create': 'owner',
  'tenant.change': 'owner',
  'key.create': 'owner',
  'key.rotate': 'owner',
  'key.revoke': 'owner',
  'operator.create': 'owner',
  'operator.change': 'owner',
  'operator.revoke': 'owner',
} as const satisfies Record<string, OperatorRole>;

export type AdminAction = keyof typeof ROLE_OF_ACTION;

/** Returns the role that cancelling a recorded action needs. What StreamForge did by itself is left to owners. */
export function roleOfAction(action: string): OperatorRole {
  return Object.hasOwn(ROLE_OF_ACTION, action) ? ROLE_OF_ACTION[action as AdminAction] : 'owner';
}
