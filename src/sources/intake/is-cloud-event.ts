import type { JsonDocument } from '../../expressions/json-document';
import type { CompiledMapping } from '../mapping/compile-mapping';
import type { Provider } from '../providers/provider';

/**
 * Whether a record is read as a CloudEvent. Where the preset has a mapping as well, only a record with a `specversion`
 * is one: subscriptions of Azure Event Grid have either of two schemas.
 */
export function isCloudEvent(
  provider: Pick<Provider, 'format'> | undefined,
  { fields }: Pick<CompiledMapping, 'fields'>,
  record: JsonDocument,
): boolean {
  if (provider?.format !== 'cloudevents') return false;
  return fields.length === 0 || record.at(['specversion']) !== undefined;
}
