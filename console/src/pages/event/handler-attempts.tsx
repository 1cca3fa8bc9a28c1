import type { Schema } from '../../api/endpoints';
import { formatDuration } from '../../format/times';
import { Instant } from '../../parts/instant';
import { StatusBadge } from '../../parts/status-badge';
import { Text } from '../../parts/text';

export function HandlerAttempts({ attempts }: { attempts: Schema<'AttemptResponse'>[] }) {
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col" className="number">
              Attempt
            </th>
            <th scope="col">Result</th>
            <th scope="col">Reason</th>
            <th scope="col">Message</th>
            <th scope="col" className="number">
              Took
            </th>
            <th scope="col">At</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </div>
  );
}
