import { formatAge, formatInstant } from '../../format/times';
import { useNow } from '../hooks/use-now';

/** How long ago, with the local time and UTC on hover. */
export function Ago({ at }: { at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={`${formatInstant(at)} local\n${at}`}>
      {formatAge(at, now)}
    </time>
  );
}

/** The local time, with UTC on hover. */
export function Instant({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at} className="instant">
      {formatInstant(at)}
    </time>
  );
}
