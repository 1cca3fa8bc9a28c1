import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { diffOf, type JsonDiff } from '../../expressions/patch/json-diff';
import type { KeptRejection } from '../../rejections/rejections.queries';
import { contentJson } from './event-content';
import { findContent } from './conflicting-event.queries';
import { ReadAgain } from './resubmission/read-again';

/** Compares a rejection with the stored event that has the same key or id. */
@Injectable()
export class ConflictDiff {
  constructor(
    private readonly pool: Pool,
    private readonly readAgain: ReadAgain,
  ) {}

  /** Returns null if there is no such event, or if the rejection cannot be read as an event. */
  async find(kept: KeptRejection): Promise<JsonDiff | null> {
    if (kept.conflictsWith === null) return null;
    const stored = await findContent(this.pool, kept.tenantId, kept.conflictsWith);
    if (!stored) return null;
    await this.readAgain.ready();
    const again = await this.readAgain.read(kept);
    const [event] = 'events' in again ? again.events : [];
    return event ? diffOf(contentJson(stored), contentJson(event.event)) : null;
  }
}
