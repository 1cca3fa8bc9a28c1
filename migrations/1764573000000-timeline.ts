import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The events that the actions of operators have changed, for the timeline of each. The build before does not record them.
 */
export class Timeline1764573000000 implements MigrationInterface {
  readonly name = 'Timeline1764573000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(EVENT_ACTIONS);
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
