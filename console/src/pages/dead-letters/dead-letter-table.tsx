import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { Ago } from '../../parts/instant';
import { Text } from '../../parts/text';

interface Props {
  rows: Schema<'DeadLettersPage'>['deadLetters'];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

/** Dead letters with boxes to choose some of them. */
export function DeadLetterTable({ rows, chosen, onChoose }: Props) {
  const isAll = rows.every(({ id }) => chosen.has(id));
  function toggle(id: string): void {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChoose(next);
  }
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <input
                type="checkbox"
                aria-label="Choose all that are shown"
                checked={isAll}
                onChange={() => onChoose(new Set(isAll ? [] : rows.map(({ id }) => id)))}
              />
            </th>
            <th scope="col">Type</th>
            <th scope="col">Subject</th>
            <th scope="col">Tenant</th>
            <th scope="col">Message</th>
            <th scope="col" className="number">
              Attempts
            </th>
            <th scope="col">Failed</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, type, subject, tenantId, errorMessage, attempts, lastFailedAt }) => (
            <tr key={id}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Choose ${subject}`}
                  checked={chosen.has(id)}
                  onChange={() => toggle(id)}
                />
              </td>
              <td>
                <Link to="/events/$eventId" params={{ eventId: id }} data-row>
                  <Text>{type}</Text>
                </Link>
              </td>
              <td>
                <Text>{subject}</Text>
              </td>
              <td>{tenantId}</td>
              <td className="error-cell">{errorMessage !== null && <Text>{errorMessage}</Text>}</td>
              <td className="number">{attempts}</td>
              <td className="nowrap">
                <Ago at={lastFailedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
