import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { formatCount } from '../../format/numbers';
import { DestinationName } from '../../parts/texts/destination-name';
import { Ago } from '../../parts/texts/instant';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { Trend } from '../../parts/texts/trend';
import type { DeadLetterSearch } from './dead-letter-search';

export type Group = Schema<'DeadLetterReasonsResponse'>['reasons'][number];

export function GroupTable({ groups, search }: { groups: readonly Group[]; search: DeadLetterSearch }) {
  return (
    <Table columns={['Reason', 'Message', 'Destination', numeric('Count'), numeric('Last hour'), 'First', 'Last']}>
      {groups.map((group) => (
        <tr key={group.id}>
          <td className="nowrap">
            <Link to="/dead-letters/$group" params={{ group: group.id }} search={search} data-row>
              {group.reasonCode}
            </Link>
          </td>
          <td className="error-cell">
            <Text>{group.errorMessage}</Text>
          </td>
          <td>{group.destinationId === null ? 'handlers' : <DestinationName id={group.destinationId} />}</td>
          <td className="number">{formatCount(group.count)}</td>
          <td className="number nowrap">
            <Trend lastHour={group.lastHour} hourBefore={group.hourBefore} />
          </td>
          <td className="nowrap">
            <Ago at={group.firstSeenAt} />
          </td>
          <td className="nowrap">
            <Ago at={group.lastSeenAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
