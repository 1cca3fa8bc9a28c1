import { StatusBadge } from '../../../parts/texts/status-badge';
import { countOf } from '../../../format/numbers';
import { Text } from '../../../parts/texts/text';
import type { Tried } from './try-request';

/** What each step found, and the events that would be stored. */
export function TestResult({ tried }: { tried: Tried }) {
  const { outcome, answer, steps, events, eventsText } = tried;
  return (
    <div role="status" className="stack">
      <p>
        <StatusBadge status={outcome} /> The producer would get HTTP {answer.status}
        {events.length > 0 && `, and ${countOf(events.length, 'event')} would be stored or found`}.
      </p>
      <ol className="steps">
        {steps.map(({ step, ok, text, data }, i) => (
          <li key={i}>
            <StatusBadge status={ok ? 'passed' : 'failed'} /> <strong>{step}</strong> <Text>{text}</Text>
            {data && (
              <pre className="code excerpt" tabIndex={0} aria-label={`Facts of ${step}`}>
                {JSON.stringify(data, null, 2)}
              </pre>
            )}
          </li>
        ))}
      </ol>
      {events.length > 0 && (
        <pre className="code" tabIndex={0} aria-label="Events">
          {eventsText}
        </pre>
      )}
    </div>
  );
}
