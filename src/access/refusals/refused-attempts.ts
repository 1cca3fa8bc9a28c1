import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { loggedCause } from '../../db/outages';
import { Loop } from '../../runtime/loop';
import type { OperatorCaller } from '../identity/caller';
import { addressKey, plainAddress } from '../identity/networks';
import type { RefusalReason } from './refused-credentials';
import { recordRefused, type RefusedGroup } from './refused-attempts.queries';

const RECORD_EVERY_MS = 60_000;
/** Groups of a minute. Further addresses are summed up by reason, so a flood adds at most some 30 entries a minute. */
const MAX_GROUPS = 20;

/** A request to an admin endpoint that was refused. */
export interface RefusedAttempt {
  reason: RefusalReason | 'role';
  address: string;
  operator?: OperatorCaller;
  credentialId?: string | undefined;
  /** Method and path of the route. */
  endpoint: string;
  correlationId: string;
}

/**
 * Records refused requests to admin endpoints in the audit trail: once a minute, one entry for those that have reason,
 * address and operator in common. A process that crashes loses up to a minute of it; the metric has counted them.
 */
@Injectable()
export class RefusedAttempts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly groups = new Map<string, RefusedGroup>();
  private readonly loop = new Loop('Refused attempts', () => this.runOnce());
  private readonly logger = new Logger('Access');

  constructor(private readonly pool: Pool) {}

  note(attempt: RefusedAttempt): void {
    const { reason, address, operator, endpoint, credentialId, correlationId } = attempt;
    const own = `${reason} ${addressKey(address)} ${operator?.name ?? ''}`;
    const isOwn = this.groups.has(own) || this.groups.size < MAX_GROUPS;
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

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    try {
      await this.record();
    } catch (error) {
      // The rest of the shutdown must go on while PostgreSQL is down.
      this.logger.warn({ msg: 'refused attempts were not recorded', ...loggedCause(error) });
    }
  }

  async runOnce(): Promise<number> {
    await this.record();
    return RECORD_EVERY_MS;
  }

  /** What cannot be recorded stays and goes on counting. */
  private async record(): Promise<void> {
    for (const [key, group] of [...this.groups]) {
      this.groups.delete(key);
      try {
        await recordRefused(this.pool, group);
      } catch (error) {
        group.count += this.groups.get(key)?.count ?? 0;
        this.groups.set(key, group);
        throw error;
      }
    }
  }
}
