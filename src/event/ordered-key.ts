/** The events of a tenant that keep an order among them: those with one hash of the partition key. */
export interface OrderedKey {
  tenantId: string;
  /** A bigint, as text. */
  orderKey: string;
}

/** The values of $1 and $2 in a statement about these keys. */
export const orderedKeyValues = (keys: readonly OrderedKey[]): [string[], string[]] => [
  keys.map(({ tenantId }) => tenantId),
  keys.map(({ orderKey }) => orderKey),
];
