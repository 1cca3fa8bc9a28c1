import type { Schema } from '../../api/endpoints';
import { formatDuration } from '../../format/times';
import { Instant } from '../../parts/texts/instant';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';

export function HandlerAttempts({ attempts }: { attempts: Schema<'AttemptResponse'>[] }) {
  return (
    <Table columns={[numeric('Attempt'), 'Result', 'Reason', 'Message', numeric('Took'), 'At']}>
      {attempts.map(({ attemptNumber, dispatch, status, reasonCode, errorMessage, durationMs, createdAt }) => (
        <tr key={`${dispatch} ${attemptNumber}`}>
          <td className="number">{attemptNumber}</td>
          <td>
            <StatusBadge status={status} />
          </td>
          <td>{reasonCode}</td>
          <td className="error-cell">{errorMessage !== null && <Text>{errorMessage}</Text>}</td>
          <td className="number nowrap">{formatDuration(durationMs)}</td>
          <td className="nowrap">
            <Instant at={createdAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
