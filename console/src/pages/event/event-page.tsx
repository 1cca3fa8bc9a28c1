import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { eventQuery } from '../../api/queries';
import { CopyButton } from '../../parts/copy/copy-button';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { Ago, Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { EventActions } from './event-actions';
import { EventDeliveries } from './event-deliveries';
import { EventTimeline } from './event-timeline';
import { HandlerAttempts } from './handler-attempts';
import { PayloadView } from './payload-view';
import { payloadsOf, type Payload } from './payload-of';

const route = getRouteApi('/events/$eventId');

/** One event: where it stands, what happened to it, what it holds, and what can be done about it. */
export function EventPage(): ReactNode {
  const { eventId } = route.useParams();
  const { data, error, refetch } = useQuery(eventQuery(eventId));
  if (!data) {
    return (
      <Page title="Event">
        <Pending error={error} refetch={refetch} />
      </Page>
    );
  }
  const { event, text } = data;
  const payloads = payloadsOf(text);
  return (
    <Page title={event.type} actions={<EventActions event={event} payload={payloads.at(-1)?.text} />}>
      <p className="lead">
        <StatusBadge status={event.status} /> {standing(event)}
        {event.nextAttemptAt !== null && (
          <>
            {' Next attempt '}
            <Ago at={event.nextAttemptAt} />.
          </>
        )}
      </p>
      {event.lastError !== null && (
        <p className="fault">
          <Text>{event.lastError}</Text>
        </p>
      )}
      <EventFacts event={event} />
      <Section title="Deliveries">
        <EventDeliveries event={event} />
      </Section>
      {event.attempts.length > 0 && (
        <Section title="Attempts of handlers">
          <HandlerAttempts attempts={event.attempts} />
        </Section>
      )}
      {payloads.length === 0 && (
        <Section title="Payload">
          <p className="hint">{event.payloadHidden ? 'Your role does not see payloads.' : 'The payload was erased.'}</p>
        </Section>
      )}
      {payloads.toReversed().map((payload, i) => (
        <Section
          key={payload.revision}
          title={titleOf(payload, i === 0)}
          actions={<CopyButton text={payload.text} label="Copy payload" />}
        >
          <PayloadView payload={payload.text} />
        </Section>
      ))}
      <Section title="Timeline" actions={<CopyCurl method="GET" path={`/v1/events/${encodeURIComponent(event.id)}`} />}>
        <EventTimeline id={event.id} />
      </Section>
    </Page>
  );
}

/** The newest is processed and delivered; the one that was sent stays. */
function titleOf({ revision }: Payload, isNewest: boolean): string {
  if (revision === 1) return isNewest ? 'Payload' : 'Payload as it was sent';
  return isNewest ? `Payload, revision ${revision}` : `Payload, former revision ${revision}`;
}

const STANDINGS: Record<Schema<'EventStatus'>, string> = {
  RECEIVED: 'Stored, and waiting to be published.',
  PUBLISHED: 'Published, and waiting for a worker.',
  DELIVERING: 'Handlers are done; deliveries are under way, paused or parked.',
  RETRYING: 'Failed, and is tried again by itself.',
  COMPLETED: 'Handlers and deliveries are done.',
  DLQ: 'Failed, and is not tried again without a person.',
  DISCARDED: 'An operator has discarded it.',
};
const standing = ({ status }: Schema<'EventResponse'>): string => STANDINGS[status];

function EventFacts({ event }: { event: Schema<'EventResponse'> }) {
  const { tenantId, type, subject, partitionKey, correlationId, source, verified, others } = event;
  const same = (search: Record<string, string>, text: string) => (
    <Link to="/events" search={{ tenantId, ...search }}>
      <Text>{text}</Text>
    </Link>
  );
  return (
    <Facts
      facts={{
        Tenant: (
          <Link to="/events" search={{ tenantId }}>
            {tenantId}
          </Link>
        ),
        Type: same({ type }, type),
        Subject: same({ subject }, subject),
        'Partition key': partitionKey === subject ? undefined : same({ partitionKey }, partitionKey),
        Source: same({ source }, source),
        'Correlation id': same({ correlationId }, correlationId),
        'Id of the producer': <Text>{event.eventId}</Text>,
        Id: <code>{event.id}</code>,
        Received: <Instant at={event.receivedAt} />,
        Occurred: <Instant at={event.occurredAt} />,
        Published: event.publishedAt !== null && <Instant at={event.publishedAt} />,
        Completed: event.completedAt !== null && <Instant at={event.completedAt} />,
        Verified:
          verified &&
          `${verified.source} (${verified.provider}${verified.keyHint === null ? '' : `, key ${verified.keyHint}`})`,
        Revisions: event.revisions.length > 0 ? event.revisions.length + 1 : undefined,
        'Other events with this id': others?.map(({ id, source: from }) => (
          <Link key={id} to="/events/$eventId" params={{ eventId: id }}>
            <Text>{from}</Text>
          </Link>
        )),
        Hash: <code className="break">{event.hash}</code>,
      }}
    />
  );
}
