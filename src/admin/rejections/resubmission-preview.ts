import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { decideDuplicate, type KeyFact } from '../../event/identity/decide-duplicate';
import type { PreparedEvent } from '../../event/prepare-event';
import type { JsonPatch } from '../../expressions/patch/json-patch';
import { committedFacts, digestsOf, foreseenResults, type IngestResult } from '../../ingest/store/store-batch';
import { contentJson } from './event-content';
import type { ResubmissionOutcome } from './resubmission-outcome';
import { ResubmitPart, settleAll } from './resubmit-part';

/** How many records a dry run shows as they would become. */
const MOST_SHOWN = 10;

/** A record as it would become. */
export interface PreviewedEvent {
  /** Of the rejection. */
  id: string;
  /** JSON text; see contentJson. */
  content: string;
}

/** Says what resubmitting would lead to. Stores nothing. */
@Injectable()
export class ResubmissionPreview {
  constructor(
    private readonly pool: Pool,
    private readonly part: ResubmitPart,
  ) {}

  begin(): OpenPreview {
    return new OpenPreview(this.pool, this.part);
  }
}

/** The preview of one request, over all its parts. */
export class OpenPreview {
  readonly first: PreviewedEvent[] = [];
  /** The events that would be stored, by their keys: a later record of the request may have the same key. */
  private readonly taken = new Map<string, KeyFact>();

  constructor(
    private readonly pool: Pool,
    private readonly part: ResubmitPart,
  ) {}

  async add(ids: readonly string[], patch: JsonPatch | undefined, outcome: ResubmissionOutcome): Promise<void> {
    const ready = await this.part.read({ ids, patch }, outcome);
    const events = ready.flatMap((one) => one.events);
    const stored = await foreseenResults(this.pool, events);
    const results = events.map((prepared, i) => stored[i] ?? this.amongThese(prepared));
    settleAll(ready, results, outcome);
    for (const { rejection, events: own } of ready) {
      if (this.first.length === MOST_SHOWN) break;
      const [prepared] = own;
      if (prepared) this.first.push({ id: rejection.id, content: contentJson(prepared.event) });
    }
  }

  private amongThese(prepared: PreparedEvent): IngestResult {
    const { keyDigest, eventIdDigest } = prepared;
    const byId = eventIdDigest === undefined ? undefined : this.taken.get(eventIdDigest);
    const decision = decideDuplicate(prepared, this.taken.get(keyDigest), byId);
    const committed = committedFacts(prepared);
    if (decision.kind === 'rejected') return decision;
    if (decision.kind === 'duplicate') return { kind: 'duplicate', of: committed, by: decision.by, layer: 'database' };
    for (const digest of digestsOf(prepared)) this.taken.set(digest, committed);
    return { kind: 'accepted', committed };
  }
}
