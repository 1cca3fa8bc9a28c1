import { Text } from '../../parts/text';
import type { Change } from './changes-of';

/** What a revision changes, as the api compares it. */
export function DiffView({ changes, isTruncated }: { changes: readonly Change[]; isTruncated: boolean }) {
  if (changes.length === 0) return <p className="note">The payload does not change. It can be retried as it is.</p>;
  return (
    <table className="plain-table">
      <caption>What changes{isTruncated ? ' (the beginning)' : ''}</caption>
      <tbody>
        {changes.map(({ op, path, value }, i) => (
          <tr key={i}>
            <td>{op}</td>
            <th scope="row">
              <Text>{path === '' ? '(whole payload)' : path}</Text>
            </th>
            <td className="break">{value !== undefined && <Text>{value}</Text>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
