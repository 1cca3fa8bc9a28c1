import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { keysQuery } from '../../../api/access-queries';
import type { Schema } from '../../../api/endpoints';
import { stateOf } from '../../../format/credential-state';
import { CopyCurl } from '../../../parts/copy/copy-curl';
import { Facts } from '../../../parts/texts/facts';
import { FoldedRow } from '../../../parts/lists/folded-row';
import { Ago, Instant } from '../../../parts/texts/instant';
import { List } from '../../../parts/lists/list';
import { Empty, Section } from '../../../parts/page';
import { StatusBadge } from '../../../parts/texts/status-badge';
import { Table } from '../../../parts/lists/table';
import { Text } from '../../../parts/texts/text';
import { useNow } from '../../../parts/hooks/use-now';
import { useMay } from '../../../session/caller';
import { KeyActions } from './key-actions';
import { NewKey } from './new-key';
import { RotateKey } from './rotate-key';

const COLUMNS = ['Name', 'State', 'Scopes', 'Last used', 'Ends'];

/** The API keys of a tenant, newest first, also those that ended. */
export function ApiKeys({ tenantId }: { tenantId: string }) {
  const list = useInfiniteQuery(keysQuery(tenantId));
  const rows = list.data?.pages.flatMap((page) => page.keys) ?? [];
  const mayOwn = useMay('owner');
  const [isCreating, setIsCreating] = useState(false);
  // Not in the row, which the list may lose while the new key is shown.
  const [rotating, setRotating] = useState<Schema<'KeyResponse'>>();
  return (
    <Section
      title="API keys"
      actions={
        <>
          <CopyCurl method="GET" path={`/v1/admin/tenants/${encodeURIComponent(tenantId)}/keys`} />
          {mayOwn && (
            <button type="button" className="primary" onClick={() => setIsCreating(true)}>
              New key …
            </button>
          )}
        </>
      }
    >
      <List
        list={list}
        count={rows.length}
        noun="key"
        empty={
          <Empty>
            <p>The tenant has no API key yet.</p>
            <p>A producer sends events with a key of the scope ingest. Give each producer a key of its own.</p>
          </Empty>
        }
      >
        <Table columns={COLUMNS}>
          {rows.map((key) => (
            <KeyRow key={key.id} apiKey={key} onRotate={() => setRotating(key)} />
          ))}
        </Table>
      </List>
      {isCreating && <NewKey tenantId={tenantId} onClose={() => setIsCreating(false)} />}
      {rotating && <RotateKey apiKey={rotating} onClose={() => setRotating(undefined)} />}
    </Section>
  );
}

function KeyRow({ apiKey, onRotate }: { apiKey: Schema<'KeyResponse'>; onRotate: () => void }) {
  const { name, scopes, lastUsedAt, expiresAt, revokedAt } = apiKey;
  const state = stateOf(apiKey, useNow());
  return (
    <FoldedRow
      label={<Text>{name}</Text>}
      columns={COLUMNS.length}
      details={
        <>
          <KeyFacts apiKey={apiKey} />
          <KeyActions apiKey={apiKey} isLive={state === 'active'} onRotate={onRotate} />
        </>
      }
    >
      <td>
        <StatusBadge status={state} />
      </td>
      <td>{scopes.join(', ')}</td>
      <td className="nowrap">{lastUsedAt === null ? 'never' : <Ago at={lastUsedAt} />}</td>
      <td className="nowrap">
        <Ended at={revokedAt ?? expiresAt} />
      </td>
    </FoldedRow>
  );
}

const Ended = ({ at }: { at: string | null }) => (at === null ? 'never' : <Ago at={at} />);

function KeyFacts({ apiKey }: { apiKey: Schema<'KeyResponse'> }) {
  const { id, allow, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = apiKey;
  return (
    <Facts
      facts={{
        Id: <code>{id}</code>,
        Networks: allow === null ? 'all' : allow.join(', '),
        'Last used': lastUsedAt !== null && <Instant at={lastUsedAt} />,
        Expires: expiresAt === null ? 'never' : <Instant at={expiresAt} />,
        Revoked: revokedAt !== null && <Instant at={revokedAt} />,
        Created: <Instant at={createdAt} />,
        By: <Text>{createdBy}</Text>,
      }}
    />
  );
}
