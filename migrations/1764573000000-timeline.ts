import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the timeline of an event reads and no other table tells: the actions of operators that changed the event, and the
 * rejection that it came from. The build before records no events of its actions.
 */
export class Timeline1764573000000 implements MigrationInterface {
  readonly name = 'Timeline1764573000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(EVENT_ACTIONS);
    await runner.query(REJECTIONS_BY_EVENT);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table event_actions');
  }
}

/**
 * action_id is the id of the audit entry. destination_ids has the destinations whose deliveries the action changed; it is
 * empty if the action changed the event itself.
 */
const EVENT_ACTIONS = `
  create table event_actions (
    event_id uuid not null,
    action_id uuid not null,
    destination_ids uuid[] not null default '{}',
    primary key (event_id, action_id)
  )`;

/** The migration of resubmissions makes it too. Undoing that one drops it. */
const REJECTIONS_BY_EVENT =
  'create index if not exists rejections_by_event on rejections (event_id) where event_id is not null';
