import type { Change } from '../../json/changes-of';
import { Text } from './text';

interface Props {
  caption: string;
  changes: readonly Change[];
  isTruncated: boolean;
}

/** A JSON Patch as the api compares two values. */
export function DiffView({ caption, changes, isTruncated }: Props) {
  return (
    <table className="plain-table">
      <caption>
        {caption}
        {isTruncated && ' (the beginning)'}
      </caption>
      <tbody>
        {changes.map(({ op, path, value }, i) => (
          <tr key={i}>
            <td>{op}</td>
            <th scope="row">
              <Text>{path === '' ? '(all of it)' : path}</Text>
            </th>
            <td className="break">{value !== undefined && <Text>{value}</Text>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
