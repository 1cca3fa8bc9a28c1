import { useInfiniteQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { operatorsQuery } from '../../api/access-queries';
import type { Schema } from '../../api/endpoints';
import { stateOf } from '../../format/credential-state';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { FoldedRow } from '../../parts/lists/folded-row';
import { Ago, Instant } from '../../parts/texts/instant';
import { List } from '../../parts/lists/list';
import { Empty, Page } from '../../parts/page';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';
import { useNow } from '../../parts/hooks/use-now';
import { useMay } from '../../session/caller';
import { Link } from '@tanstack/react-router';
import { NewOperator } from './new-operator';
import { OperatorActions } from './operator-actions';

const COLUMNS = ['Name', 'State', 'Role', 'Tenants', 'Last used', 'Ends'];
const TENANTS_SHOWN = 5;

/** The operators, newest first, also those that were revoked. */
export function OperatorsPage(): ReactNode {
  const mayOwn = useMay('owner');
  if (mayOwn) return <Operators />;
  return (
    <Page title="Operators">
      <p className="hint">Your role does not see operators. An owner does.</p>
    </Page>
  );
}

function Operators() {
  const list = useInfiniteQuery(operatorsQuery);
  const rows = list.data?.pages.flatMap((page) => page.operators) ?? [];
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Page
      title="Operators"
      actions={
        <>
          <CopyCurl method="GET" path="/v1/admin/operators" />
          <button type="button" className="primary" onClick={() => setIsCreating(true)}>
            New operator …
          </button>
        </>
      }
    >
      <List
        list={list}
        count={rows.length}
        noun="operator"
        empty={
          <Empty>
            <p>Nobody has a token of their own yet.</p>
            <p>
              Give each person and each script one, with the least role that will do. The audit trail then says who did
              what.
            </p>
          </Empty>
        }
      >
        <Table columns={COLUMNS}>
          {rows.map((operator) => (
            <OperatorRow key={operator.id} operator={operator} />
          ))}
        </Table>
      </List>
      {isCreating && <NewOperator onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

function OperatorRow({ operator }: { operator: Schema<'OperatorResponse'> }) {
  const { name, role, tenantIds, lastUsedAt, expiresAt, revokedAt } = operator;
  const state = stateOf(operator, useNow());
  const end = revokedAt ?? expiresAt;
  return (
    <FoldedRow
      label={<Text>{name}</Text>}
      columns={COLUMNS.length}
      details={
        <>
          <OperatorFacts operator={operator} />
          {revokedAt === null && <OperatorActions operator={operator} />}
        </>
      }
    >
      <td>
        <StatusBadge status={state} />
      </td>
      <td>{role}</td>
      <td className="error-cell">{tenantIds === null ? 'all' : <Text>{someOf(tenantIds)}</Text>}</td>
      <td className="nowrap">{lastUsedAt === null ? 'never' : <Ago at={lastUsedAt} />}</td>
      <td className="nowrap">{end === null ? 'never' : <Ago at={end} />}</td>
    </FoldedRow>
  );
}

const someOf = (tenantIds: readonly string[]): string =>
  tenantIds.length > TENANTS_SHOWN
    ? `${tenantIds.slice(0, TENANTS_SHOWN).join(', ')} and ${tenantIds.length - TENANTS_SHOWN} more`
    : tenantIds.join(', ');

function OperatorFacts({ operator }: { operator: Schema<'OperatorResponse'> }) {
  const { id, name, tenantIds, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = operator;
  return (
    <Facts
      facts={{
        Id: <code>{id}</code>,
        Tenants: tenantIds !== null && <Text>{tenantIds.join(', ')}</Text>,
        'Last used': lastUsedAt !== null && <Instant at={lastUsedAt} />,
        Expires: expiresAt === null ? 'never' : <Instant at={expiresAt} />,
        Revoked: revokedAt !== null && <Instant at={revokedAt} />,
        Created: <Instant at={createdAt} />,
        By: <Text>{createdBy}</Text>,
        Actions: (
          <Link to="/audit" search={{ actor: name }}>
            Audit
          </Link>
        ),
      }}
    />
  );
}
