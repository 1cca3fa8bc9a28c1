/** When a parked delivery, or the retry of a parked event, is due (docs/ordering.md). The migrations have it too. */
export const PARKED = `timestamptz '9999-12-31 00:00:00+00'`;
