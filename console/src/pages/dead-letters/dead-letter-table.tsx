import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/endpoints';
import { ChooseTable } from '../../parts/lists/choose-table';
import { Ago } from '../../parts/texts/instant';
import { numeric } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';

interface Props {
  rows: Schema<'DeadLettersPage'>['deadLetters'];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

export function DeadLetterTable(props: Props) {
  return (
    <ChooseTable
      {...props}
      columns={['Type', 'Subject', 'Tenant', 'Message', numeric('Attempts'), 'Failed']}
      nameOf={({ subject }) => subject}
    >
      {({ id, type, subject, tenantId, errorMessage, attempts, lastFailedAt }) => (
        <>
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
        </>
      )}
    </ChooseTable>
  );
}
