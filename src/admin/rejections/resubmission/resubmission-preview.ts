import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { KeptRejection } from '../../../rejections/rejections.queries';
import { contentJson } from '../event-content';
import { Foresight } from './foresight';
import type { ResubmissionOutcome } from './resubmission-outcome';
import { ResubmitPart, settleAll, type PartRequest } from './resubmit-part';

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
  private readonly foresight: Foresight;

  constructor(
    pool: Pool,
    private readonly part: ResubmitPart,
  ) {
    this.foresight = new Foresight(pool);
  }

  /** Previews the first of these rejections. Returns the others. */
  async add(request: Omit<PartRequest, 'status'>, outcome: ResubmissionOutcome): Promise<readonly KeptRejection[]> {
    const { ready, rest } = await this.part.read(request, outcome);
    const results = await this.foresight.of(ready);
    settleAll(ready, results.flat(), outcome);
    for (const { rejection, events } of ready) {
      if (this.first.length === MOST_SHOWN) break;
      const [prepared] = events;
      if (prepared) this.first.push({ id: rejection.id, content: contentJson(prepared.event) });
    }
    return rest;
  }
}
