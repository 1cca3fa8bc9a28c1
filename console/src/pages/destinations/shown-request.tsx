import type { Schema } from '../../api/endpoints';

/** The headers that describe the body of a delivery, and the body. */
export function ShownRequest({
  of: { headers, bodyText },
}: {
  of: NonNullable<Schema<'TestDeliveryResponse'>['request']>;
}) {
  return (
    <pre className="code excerpt" tabIndex={0} aria-label="Request">
      {Object.entries(headers)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join('\n')}
      {`\n\n${bodyText ?? '(bytes that are no text)'}`}
    </pre>
  );
}
