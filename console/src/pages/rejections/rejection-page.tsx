import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { rejectionQuery } from '../../api/queries';
import { formatBytes } from '../../format/numbers';
import { changesOf } from '../../json/changes-of';
import { CopyButton } from '../../parts/copy/copy-button';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { DiffView } from '../../parts/texts/diff-view';
import { Facts } from '../../parts/texts/facts';
import { Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { RequestText } from '../../parts/texts/request-text';
import { SourceLink } from '../../parts/texts/source-name';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { useMay } from '../../session/caller';
import { RejectionActions } from './rejection-actions';

const route = getRouteApi('/rejections/one/$rejectionId');

/** One rejection: why it was refused, its bytes, and what can be done about it. */
export function RejectionPage(): ReactNode {
  const { rejectionId } = route.useParams();
  const maySupport = useMay('support');
  const { data, error, refetch } = useQuery({ ...rejectionQuery(rejectionId), enabled: maySupport });
  if (!maySupport) {
    return (
      <Page title="Rejection">
        <p className="hint">Your role does not see the bytes of rejections.</p>
      </Page>
    );
  }
  if (!data) {
    return (
      <Page title="Rejection">
        <Pending error={error} refetch={refetch} />
      </Page>
    );
  }
  const { rejection, text } = data;
  return (
    <Page title={rejection.code} actions={<RejectionActions rejection={rejection} />}>
      <p className="lead">
        <StatusBadge status={rejection.status} /> <Standing rejection={rejection} />
      </p>
      <p className="fault">
        {rejection.pointer !== null && (
          <>
            <code>{rejection.pointer}</code>{' '}
          </>
        )}
        <Text>{rejection.message}</Text>
      </p>
      <RejectionFacts rejection={rejection} />
      {rejection.diff && (
        <Section title="Difference to the stored event">
          <DiffView
            caption="From the event to this record"
            changes={changesOf(text)}
            isTruncated={rejection.diffTruncated}
          />
        </Section>
      )}
      <Bytes rejection={rejection} />
      {rejection.request && 'method' in rejection.request && (
        <Section title="Request">
          <RequestText request={rejection.request} body={null} isCut={false} />
        </Section>
      )}
    </Page>
  );
}

type Rejection = Schema<'RejectionResponse'>;

function Standing({ rejection: { status, eventId, duplicate, settledAt } }: { rejection: Rejection }) {
  if (status === 'OPEN') return 'It waits for a person.';
  return (
    <>
      {status === 'DISCARDED' ? 'An operator has discarded it.' : 'It was resubmitted.'}{' '}
      {eventId !== null && (
        <Link to="/events/$eventId" params={{ eventId }}>
          {duplicate ? 'Its event was stored already' : 'The event that it became'}
        </Link>
      )}{' '}
      {settledAt !== null && <Instant at={settledAt} />}
    </>
  );
}

function RejectionFacts({ rejection }: { rejection: Rejection }) {
  const { tenantId, sourceId, conflictsWith, recordNumber } = rejection;
  return (
    <Facts
      facts={{
        Tenant: (
          <Link to="/rejections" search={{ tenantId }}>
            {tenantId}
          </Link>
        ),
        'Sent to': rejection.endpoint,
        Source: sourceId !== null && <SourceLink id={sourceId} />,
        Type: rejection.eventType !== null && <Text>{rejection.eventType}</Text>,
        Record: recordNumber,
        'Idempotency key': rejection.requestKey !== null && <Text>{rejection.requestKey}</Text>,
        'In conflict with': conflictsWith !== null && (
          <Link to="/events/$eventId" params={{ eventId: conflictsWith }}>
            the stored event
          </Link>
        ),
        Received: <Instant at={rejection.receivedAt} />,
        'Content type': rejection.contentType !== null && <Text>{rejection.contentType}</Text>,
        Size: formatBytes(rejection.sizeBytes),
        'Correlation id': (
          <Link to="/rejections" search={{ correlationId: rejection.correlationId }}>
            <Text>{rejection.correlationId}</Text>
          </Link>
        ),
        Id: <code>{rejection.id}</code>,
        'SHA-256': <code className="break">{rejection.digest}</code>,
      }}
    />
  );
}

/** Exactly what was refused. */
function Bytes({ rejection }: { rejection: Rejection }) {
  const { id, rawText, rawBase64, truncated, erasedAt, sizeBytes } = rejection;
  const shown = rawText ?? rawBase64;
  const title = rawText === null && rawBase64 !== null ? 'Bytes, in base64' : 'Bytes as they were received';
  return (
    <Section
      title={title}
      actions={
        <>
          {shown !== null && <CopyButton text={shown} label="Copy the bytes" />}
          <CopyCurl method="GET" path={`/v1/admin/rejections/${id}`} />
        </>
      }
    >
      {truncated && <p className="hint">Only the beginning of {formatBytes(sizeBytes)} is kept.</p>}
      {shown === null ? (
        <p className="hint">
          {erasedAt === null ? 'Your role does not see the content of this tenant.' : 'The bytes were erased.'}
        </p>
      ) : (
        <pre className="code payload" tabIndex={0} aria-label={title}>
          {shown}
        </pre>
      )}
    </Section>
  );
}
