/** Whether the type of `event` matches one of the `event_types` of `row`. matchesType does the same outside of SQL. */
export const isForType = (row: string, event: string): string => `exists (
  select from unnest(${row}.event_types) as p (pattern)
   where p.pattern = ${event}.type or right(p.pattern, 1) = '*' and starts_with(${event}.type, left(p.pattern, -1)))`;
