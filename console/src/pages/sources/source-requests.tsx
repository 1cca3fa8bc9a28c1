import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { sourceRequestsQuery } from '../../api/queries';
import { formatDuration } from '../../format/times';
import { FoldedRow } from '../../parts/lists/folded-row';
import { Ago } from '../../parts/texts/instant';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import { RequestDetails } from './request-details';

type Source = Schema<'SourceResponse'>;
type Sample = Schema<'RequestSampleResponse'>;

const COLUMNS = ['Result', numeric('HTTP'), 'Why', 'Became', 'Received', numeric('Took')];

/** What came to the source lately, what became of it, and why. */
export function SourceRequests({ source }: { source: Source }) {
  const maySupport = useMay('support');
  if (!maySupport) return <p className="hint">Your role does not see requests.</p>;
  return <Requests source={source} />;
}

function Requests({ source }: { source: Source }) {
  const { data, error, refetch } = useQuery(sourceRequestsQuery(source.id));
  if (!data) return <Pending error={error} refetch={refetch} />;
  if (data.requests.length === 0) {
    return <p className="hint">Nothing came to this URL yet. The last 50 requests show here as they come.</p>;
  }
  return (
    <Table columns={COLUMNS}>
      {data.requests.map((sample) => (
        <RequestRow key={sample.id} source={source} sample={sample} />
      ))}
    </Table>
  );
}

function RequestRow({ source, sample }: { source: Source; sample: Sample }) {
  const { result, status, code, reason, request, durationMs } = sample;
  return (
    <FoldedRow
      label={<StatusBadge status={result} />}
      columns={COLUMNS.length}
      details={<RequestDetails source={source} sample={sample} />}
    >
      <td className="number">{status}</td>
      <td className="error-cell">
        {code !== null && <code>{code}</code>} {reason !== null && <Text>{reason}</Text>}
      </td>
      <td>
        <Became sample={sample} />
      </td>
      <td className="nowrap">
        <Ago at={request.receivedAt} />
      </td>
      <td className="number nowrap">{formatDuration(durationMs)}</td>
    </FoldedRow>
  );
}

function Became({ sample: { eventIds, rejectionIds } }: { sample: Sample }) {
  return (
    <>
      {eventIds.map((eventId, i) => (
        <Link key={eventId} to="/events/$eventId" params={{ eventId }} className="nowrap">
          event{eventIds.length > 1 && ` ${i + 1}`}{' '}
        </Link>
      ))}
      {rejectionIds.map((rejectionId, i) => (
        <Link key={rejectionId} to="/rejections/one/$rejectionId" params={{ rejectionId }} className="nowrap">
          rejection{rejectionIds.length > 1 && ` ${i + 1}`}{' '}
        </Link>
      ))}
    </>
  );
}
