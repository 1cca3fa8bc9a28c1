import { addressKey, plainAddress } from '../identity/networks';
import type { OperatorCaller } from '../identity/caller';
import type { RefusedGroup } from './refused-attempts.queries';
import type { RefusalReason } from './refused-credentials';

/** A request to an admin endpoint that was refused. */
export interface RefusedAttempt {
  reason: RefusalReason | 'role';
  address: string;
  /** Undefined if the credentials are nobody's. */
  operator?: OperatorCaller;
  credentialId?: string | undefined;
  /** Method and path of the route. */
  endpoint: string;
  correlationId: string;
}

/** Sums up refused requests that have reason, address and operator in common. */
export class RefusedGroups {
  private readonly groups = new Map<string, RefusedGroup>();

  /** Adds to the sum of its reason if there are `most` groups, so that there is only one more for each reason. */
  add(attempt: RefusedAttempt, most: number): void {
    const { reason, address, operator, endpoint, credentialId, correlationId } = attempt;
    const own = `${reason} ${addressKey(address)} ${operator?.name ?? ''}`;
    const isOwn = this.groups.has(own) || this.groups.size < most;
    const key = isOwn ? own : reason;
    const known = this.groups.get(key);
    if (known) known.count += 1;
    else {
      this.groups.set(key, {
        operator: isOwn ? operator : undefined,
        address: isOwn ? plainAddress(address) : undefined,
        reason,
        count: 1,
        first: { endpoint, credentialId, correlationId },
      });
    }
  }

  /** Records up to `most` groups. What cannot be recorded stays and goes on counting. */
  async record(most: number, write: (group: RefusedGroup) => Promise<void>): Promise<void> {
    for (const [key, group] of [...this.groups].slice(0, most)) {
      this.groups.delete(key);
      try {
        await write(group);
      } catch (error) {
        group.count += this.groups.get(key)?.count ?? 0;
        this.groups.set(key, group);
        throw error;
      }
    }
  }
}
