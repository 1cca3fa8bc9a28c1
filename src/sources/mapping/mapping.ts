/**
 * Where the fields of an event are found in a request, as data.
 *
 * A string is a JSON Pointer (`/data/id`) or a JSONata expression over the body, with `$headers`, `$query` and `$path`
 * bound. `{ "template": "{header:x-topic}" }` is a template (template.ts). Of a list, the first value that is found
 * counts.
 */
export type MappingValue = string | { readonly template: string } | readonly MappingValue[];

/** The fields of an event that a mapping finds. */
export const MAPPED_FIELDS = [
  'eventType',
  'subject',
  'eventId',
  'idempotencyKey',
  'occurredAt',
  'partitionKey',
  'payload',
] as const;
export type MappedField = (typeof MAPPED_FIELDS)[number];

export type Mapping = Readonly<Partial<Record<MappedField, MappingValue>>> & {
  /** The list that a batch is split into. The other values are then found in each of its items. */
  readonly records?: string;
};
