import type { Settings } from '../config/settings';
import type { Db } from '../db/pool';
import type { OperatorEventType } from '../destinations/operator/severity';
import { timeOfDayMs } from '../event/time-of-day';
import { readOutboxFigures } from '../event-state/figures.queries';
import {
  readingOf,
  type About,
  type Condition,
  type ConditionKind,
  type Figures,
  type WatchReading,
} from './condition';
import { readDisabledDestinations, readFailingDestinations, readFailingReceivers } from './destination-figures.queries';
import { readGrowingDeadLetters, readGrowingRejections } from './growth-figures.queries';
import { readFailingVerifications, readReachedQuotas } from './intake-figures.queries';
import { readSilentSources, readSilentTypes } from './silent-producers';
import { readExpiringKeys, readFillingStorage, readMissingPartitions } from './upkeep-figures.queries';

/** One kind of condition: how it is read, and how it is told. */
export interface Watch {
  kind: ConditionKind;
  /** The type of the event that clears it, if it has one of its own. */
  clearedKind?: OperatorEventType;
  read: (db: Db, settings: Settings, raised: readonly Condition[]) => Promise<WatchReading>;
  /** Follows the name of what it is about. */
  says: (figures: Figures) => string;
  /** Follows the same when it is cleared. */
  saysCleared: string;
  /** What it is about, in a sentence. */
  nameOf: (about: About) => string;
  /** What many of them are. */
  plural: string;
  /** The page of the console of one of them, and of many. */
  page: (about: About) => string;
  pageOfMany: string;
  /** It is logged, and raises no event: nobody would get it. */
  isOnlyLogged?: true;
}

const PAGE_OF_DESTINATIONS = '/destinations';
const nameOfDestination = ({ name, tenantId }: About): string => `Destination ${name} of tenant ${tenantId}`;
const pageOfDestination = ({ subject }: About): string => `${PAGE_OF_DESTINATIONS}/${subject}`;
const nameOfSource = ({ name, tenantId }: About): string => `Source ${name} of tenant ${tenantId}`;
const pageOfSource = ({ subject }: About): string => `/sources/${subject}`;
const PAGE_OF_TENANTS = '/tenants';
const pageOfTenant = ({ tenantId }: About): string => `${PAGE_OF_TENANTS}/${encodeURIComponent(tenantId ?? '')}`;
const saysSilent = ({ silentSeconds, expectEverySeconds, usualSeconds, activeTimeZone }: Figures): string =>
  expectEverySeconds === null
    ? `has been silent for ${minutes(silentSeconds)}. Usually, something comes within ${minutes(usualSeconds)} at this time.`
    : `has been silent for ${minutes(silentSeconds)}. It is expected to send at least every ${minutes(expectEverySeconds)}${typeof activeTimeZone === 'string' ? ' of its active hours' : ''}.`;
const ofTenant = (page: string, { tenantId }: About): string =>
  `${page}?tenantId=${encodeURIComponent(tenantId ?? '')}`;
const lastPart = ({ subject }: About): string => subject.slice(subject.lastIndexOf('/') + 1);

/** In the order in which they are looked at: what is disabled is known before what is failing. */
export const WATCHES: readonly Watch[] = [
  {
    kind: 'destination.disabled',
    read: readDisabledDestinations,
    says: ({ reason }) => `was disabled: ${reason}. New events are skipped.`,
    saysCleared: 'is not disabled any more.',
    nameOf: nameOfDestination,
    plural: 'destinations were disabled',
    page: pageOfDestination,
    pageOfMany: PAGE_OF_DESTINATIONS,
  },
  {
    kind: 'destination.failing',
    clearedKind: 'destination.recovered',
    read: (db, { OPERATOR_DESTINATION_FAILING_SECONDS: seconds }) => readFailingDestinations(db, seconds),
    says: ({ failingSeconds, reasonCode }) =>
      `has had no success for ${minutes(failingSeconds)}, last with ${reasonCode}. Its deliveries are tried again.`,
    saysCleared: 'does not fail any more.',
    nameOf: nameOfDestination,
    plural: 'destinations are failing',
    page: pageOfDestination,
    pageOfMany: PAGE_OF_DESTINATIONS,
  },
  {
    kind: 'receiver.failing',
    read: (db, { OPERATOR_DESTINATION_FAILING_SECONDS: seconds }) => readFailingReceivers(db, seconds),
    says: ({ reasonCode }) => `gets no operator events, last with ${reasonCode}.`,
    saysCleared: 'gets operator events again.',
    nameOf: nameOfDestination,
    plural: 'destinations of operator events are failing',
    page: pageOfDestination,
    pageOfMany: PAGE_OF_DESTINATIONS,
    isOnlyLogged: true,
  },
  {
    kind: 'deadletters.growing',
    read: (db, { OPERATOR_GROWING_DEAD_LETTERS: most }) => readGrowingDeadLetters(db, most),
    says: ({ newDeadLetters, minutes: span }) => `have ${newDeadLetters} new ones within ${span} minutes.`,
    saysCleared: 'do not grow any more.',
    nameOf: ({ name, tenantId }) => `Dead letters of tenant ${tenantId} with ${name}`,
    plural: 'causes have growing numbers of dead letters',
    page: (about) => ofTenant(`/dead-letters/${lastPart(about)}`, about),
    pageOfMany: '/dead-letters',
  },
  {
    kind: 'rejections.growing',
    read: (db, { OPERATOR_GROWING_REJECTIONS: most }) => readGrowingRejections(db, most),
    says: ({ newRejections, minutes: span }) => `have ${newRejections} new ones within ${span} minutes.`,
    saysCleared: 'do not grow any more.',
    nameOf: ({ tenantId }) => `Rejections of tenant ${tenantId}`,
    plural: 'tenants have growing numbers of rejections',
    page: (about) => ofTenant('/rejections', about),
    pageOfMany: '/rejections',
  },
  {
    kind: 'source.verification-failing',
    read: readFailingVerifications,
    says: ({ unverified, ofNewest, code }) => `refused ${unverified} of its newest ${ofNewest} requests: ${code}.`,
    saysCleared: 'verifies its requests again.',
    nameOf: nameOfSource,
    plural: 'sources refuse requests that they cannot verify',
    page: pageOfSource,
    pageOfMany: '/sources',
  },
  {
    kind: 'outbox.lagging',
    read: (db, { OPERATOR_OUTBOX_LAG_SECONDS: seconds }) => readLaggingOutbox(db, seconds),
    says: ({ oldestSeconds, waiting }) =>
      `lags: ${waiting} events wait to be published, the oldest for ${minutes(oldestSeconds)}.`,
    saysCleared: 'does not lag any more.',
    nameOf: () => 'The outbox',
    plural: 'outboxes lag',
    page: () => '/outbox',
    pageOfMany: '/outbox',
  },
  {
    kind: 'quota.reached',
    read: (db, { OPERATOR_QUOTA_PAUSE_SECONDS: seconds }) => readReachedQuotas(db, seconds),
    says: ({ limitOf }) => `has reached its limit of ${limitOf} and is refused with 429.`,
    saysCleared: 'is within its limits again.',
    nameOf: ({ tenantId }) => `Tenant ${tenantId}`,
    plural: 'tenants have reached their limits',
    page: pageOfTenant,
    pageOfMany: PAGE_OF_TENANTS,
  },
  {
    kind: 'source.silent',
    clearedKind: 'source.resumed',
    read: (db, _, raised) => readSilentSources(db, raised),
    says: saysSilent,
    saysCleared: 'is not silent any more.',
    nameOf: nameOfSource,
    plural: 'sources are silent',
    page: pageOfSource,
    pageOfMany: '/sources',
  },
  {
    kind: 'type.silent',
    clearedKind: 'type.resumed',
    read: (db, _, raised) => readSilentTypes(db, raised),
    says: saysSilent,
    saysCleared: 'is not silent any more.',
    nameOf: ({ name, tenantId }) => `Type ${name} of tenant ${tenantId}`,
    plural: 'types are silent',
    page: pageOfTenant,
    pageOfMany: PAGE_OF_TENANTS,
  },
  {
    kind: 'key.expiring',
    read: (db, { OPERATOR_KEY_EXPIRY_DAYS: days }) => readExpiringKeys(db, days),
    says: ({ what, expiresAt }) => `(${what}) expires at ${expiresAt}. Rotate it before.`,
    saysCleared: 'was rotated or revoked, or has expired.',
    nameOf: ({ name, tenantId }) => (tenantId === null ? `The key ${name}` : `The key ${name} of tenant ${tenantId}`),
    plural: 'keys expire soon',
    page: ({ tenantId }) => (tenantId === null ? '/operators' : `/tenants/${encodeURIComponent(tenantId)}`),
    pageOfMany: '/tenants',
  },
  {
    kind: 'partition.missing',
    read: readMissingPartitions,
    says: ({ tables }) => `have no partition for now or tomorrow: ${tables}.`,
    saysCleared: 'have their partitions again.',
    nameOf: () => 'Tables',
    plural: 'tables lack partitions',
    page: () => '/health',
    pageOfMany: '/health',
  },
  {
    kind: 'storage.filling',
    read: (db, { OPERATOR_STORAGE_GB: gigabytes }) => readFillingStorage(db, gigabytes),
    says: ({ percent, ofGigabytes }) => `uses ${percent} % of ${ofGigabytes} GB.`,
    saysCleared: 'uses less than 80 % of its storage again.',
    nameOf: () => 'The database',
    plural: 'databases are filling up',
    page: () => '/health',
    pageOfMany: '/health',
  },
];

async function readLaggingOutbox(db: Db, lagSeconds: number): Promise<WatchReading> {
  const { pending, inFlight, oldestOpenSeconds } = await readOutboxFigures(db);
  const oldestSeconds = Math.floor(oldestOpenSeconds ?? 0);
  if (oldestSeconds < lagSeconds / 2) return readingOf([]);
  return readingOf([
    {
      subject: '',
      tenantId: null,
      name: null,
      verdict: oldestSeconds >= lagSeconds ? 'holds' : 'between',
      since: new Date(timeOfDayMs() - oldestSeconds * 1_000).toISOString(),
      figures: { oldestSeconds, waiting: pending + inFlight },
    },
  ]);
}

/** Says how long something takes: in seconds, minutes from two on, hours from two on, or days from two on. */
export const minutes = (seconds: string | number | null | undefined): string => {
  const count = Math.floor(Number(seconds ?? 0));
  if (count < 120) return `${count} seconds`;
  const inMinutes = Math.floor(count / 60);
  if (inMinutes < 120) return `${inMinutes} minutes`;
  const inHours = Math.floor(inMinutes / 60);
  if (inHours < 48) return `${inHours} hours${rest(inMinutes % 60, 'minute')}`;
  return `${Math.floor(inHours / 24)} days${rest(inHours % 24, 'hour')}`;
};

const rest = (count: number, unit: string): string => (count === 0 ? '' : ` ${count} ${unit}${count === 1 ? '' : 's'}`);
