import { useState } from 'react';
import type { Schema } from '../../api/endpoints';
import { formatBytes } from '../../format/numbers';
import { Facts } from '../../parts/texts/facts';
import { RequestText } from '../../parts/texts/request-text';
import { Text } from '../../parts/texts/text';
import { draftOf, isWhole } from './trial/test-draft';
import { TestSource } from './trial/test-source';

interface Props {
  source: Schema<'SourceResponse'>;
  sample: Schema<'RequestSampleResponse'>;
}

/** What was received, and what helps to find out why it was refused. */
export function RequestDetails({ source, sample }: Props) {
  const [isTesting, setIsTesting] = useState(false);
  const { facts, keyHint, records, correlationId, request, bodyBytes, bodyText, bodyBase64 } = sample;
  const shown = Object.entries(facts).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const whole = isWhole(sample);
  return (
    <div className="stack">
      <Facts
        facts={{
          ...Object.fromEntries(
            shown.map(([name, value]) => [
              FACTS[name] ?? name,
              <code className="break" key={name}>
                <Text>{value}</Text>
              </code>,
            ]),
          ),
          'Secret that was right': keyHint,
          Records: records,
          From: request.address,
          Size: formatBytes(bodyBytes),
          'Correlation id': <Text>{correlationId}</Text>,
        }}
      />
      <RequestText request={request} body={bodyText ?? bodyBase64} isCut={!whole} />
      <button type="button" onClick={() => setIsTesting(true)}>
        Test this request again …
      </button>
      {isTesting && (
        <TestSource
          sourceId={source.id}
          initial={draftOf(sample)}
          remark={
            whole
              ? undefined
              : 'Only the first 2 KB of this body are kept, so its signature and its fields may be missing.'
          }
          onClose={() => setIsTesting(false)}
        />
      )}
    </div>
  );
}

const FACTS: Record<string, string> = {
  signedText: 'What should have been signed',
  clockDifferenceSeconds: 'Seconds between its time and ours',
  missing: 'Missing',
  secretsTried: 'Secrets tried',
};
