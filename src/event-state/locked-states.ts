/**
 * Returns an SQL array of the events in `ids` that have a state. Evaluating it locks their rows in the order of their
 * ids. An UPDATE that is limited to this array therefore cannot deadlock with another one; without it, PostgreSQL
 * locks rows in the order in which they lie in the table.
 */
export const lockedStates = (ids: string): string =>
  `array(select event_id from event_state where event_id = any (${ids}) order by event_id for update)`;
