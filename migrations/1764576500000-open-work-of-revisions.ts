import type { MigrationInterface, QueryRunner } from 'typeorm';
import { OPEN_WORK } from './1764400000000-reporting';

/**
 * `reporting.open_work` compares the generation of a dispatch with that of a success. Of a revision, the dispatch has a
 * negative one (1764571000000-revisions), so a revised event that had succeeded and was dispatched again was listed.
 */
export class OpenWorkOfRevisions1764576500000 implements MigrationInterface {
  readonly name = 'OpenWorkOfRevisions1764576500000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(openWork(OPEN_WORK.replace('a.generation = o.generation', 'a.generation = abs(o.generation)')));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(openWork(OPEN_WORK));
  }
}

const openWork = (ofHandlers: string): string => `create or replace view reporting.open_work as ${ofHandlers}
   union all
   select 'delivery', q.event_id, d.created_at
     from delivery_queue q
     join deliveries d on d.event_id = q.event_id and d.destination_id = q.destination_id and d.generation = q.generation`;
