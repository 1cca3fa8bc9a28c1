import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { destinationQuery } from '../../api/queries';
import { formatCount, formatRatio } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { hoursText } from '../../parts/forms/hours-form';
import { nameOf } from '../../parts/texts/destination-name';
import { Facts } from '../../parts/texts/facts';
import { Ago, Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { DestinationActions } from './destination-actions';
import { DestinationCharts } from './destination-charts';
import { RecentDeliveries } from './recent-deliveries';

const route = getRouteApi('/destinations/$destinationId');
const OFTEN_MS = 5_000;

/** One destination: its health, what it is sent, and pause, resume and test. */
export function DestinationPage(): ReactNode {
  const { destinationId } = route.useParams();
  const { data, error, refetch } = useQuery({ ...destinationQuery(destinationId), refetchInterval: OFTEN_MS });
  if (!data) {
    return (
      <Page title="Destination">
        <Pending error={error} refetch={refetch} />
      </Page>
    );
  }
  const { health } = data;
  return (
    <Page title={nameOf(data)} actions={<DestinationActions destination={data} />}>
      <p className="lead">
        <StatusBadge status={data.status} /> {standing(data)}
      </p>
      {health.lastError !== null && health.failingSince !== null && (
        <div className="fault">
          <p>
            Failing since <Ago at={health.failingSince} />
            {health.lastReasonCode !== null && `, last with ${health.lastReasonCode}`}:
          </p>
          <p>
            <Text>{health.lastError}</Text>
          </p>
        </div>
      )}
      <Section title="Health, last hour">
        <Facts
          facts={{
            Circuit: (
              <>
                <StatusBadge status={health.circuit.state} />
                {health.circuit.openUntil !== null && (
                  <>
                    {' next try '}
                    <Ago at={health.circuit.openUntil} />
                  </>
                )}
              </>
            ),
            'Attempts that succeeded': health.successRate === null ? 'no attempt' : formatRatio(health.successRate),
            p50: health.p50Ms !== null && formatDuration(health.p50Ms),
            p95: health.p95Ms !== null && formatDuration(health.p95Ms),
            Waiting: formatCount(health.backlog),
            Parked: health.parked > 0 && `${formatCount(health.parked)} behind others of their key`,
            'Oldest waiting': health.oldest !== null && <Ago at={health.oldest} />,
          }}
        />
        <DestinationCharts destinationId={data.id} />
      </Section>
      <Section title="Deliveries">
        <RecentDeliveries destinationId={data.id} />
      </Section>
      <Section title="Settings">
        <SettingFacts destination={data} />
      </Section>
    </Page>
  );
}

function standing({ status, disabledReason }: Schema<'DestinationWithHealth'>): string {
  if (status === 'active') return 'Events that match are sent to it.';
  if (status === 'paused') return 'Deliveries are recorded, and wait until it is resumed.';
  return `Events are skipped.${disabledReason === null ? '' : ` Reason: ${disabledReason}.`}`;
}

function orderOf({ ordering, onPoison, latestOnly }: Schema<'DestinationWithHealth'>): string {
  if (ordering === 'none') return 'as soon as they can be';
  const next = onPoison === 'block' ? 'a failed one blocks its key' : 'a failed one is passed over';
  return `one of a key after the other; ${next}${latestOnly ? '; only the latest' : ''}`;
}

function SettingFacts({ destination }: { destination: Schema<'DestinationWithHealth'> }) {
  const { filter, transform, headers, retrySchedule, ratePerSecond, tenantId } = destination;
  return (
    <Facts
      facts={{
        URL: <Text>{destination.url}</Text>,
        Tenant: (
          <Link to="/destinations" search={{ tenantId }}>
            {tenantId}
          </Link>
        ),
        Types: <Text>{destination.eventTypes.join(', ')}</Text>,
        Filter: filter && <code className="break">{JSON.stringify(filter)}</code>,
        Transform: transform !== null && <code className="break">{transform}</code>,
        Format: destination.format,
        Headers: headers && <code className="break">{Object.keys(headers).join(', ')}</code>,
        'Waits between tries':
          retrySchedule?.map((seconds) => formatDuration(seconds * 1_000)).join(', ') ?? 'those of the installation',
        Timeout: formatDuration(destination.timeoutMs),
        'At once': `${formatCount(destination.maxInFlight)} requests`,
        'Per second': ratePerSecond === null ? 'no limit' : formatCount(ratePerSecond),
        Order: orderOf(destination),
        'From severity': destination.minSeverity,
        'Quiet hours': destination.quietHours !== null && hoursText(destination.quietHours),
        'Old secret until': destination.previousSecretUntil !== null && (
          <Instant at={destination.previousSecretUntil} />
        ),
        Changed: <Instant at={destination.updatedAt} />,
        Id: <code>{destination.id}</code>,
      }}
    />
  );
}
