import type { Settings } from '../config/settings';
import { MANY, type Condition, type Observation } from './condition';
import { consoleLink } from './console-link';
import type { OperatorEvent } from './operator-event';
import type { Watch } from './watches';

type LinkSettings = Pick<Settings, 'CONSOLE_URL' | 'PUBLIC_URL'>;

/** Of what one event stands for, so many are named. */
const MOST_NAMED = 20;

/** The event that raises a condition. */
export function raisedEvent(
  watch: Watch,
  { subject, tenantId, name, since, figures }: Observation,
  incident: string,
  settings: LinkSettings,
): OperatorEvent {
  const about = { subject, tenantId, name };
  return {
    kind: watch.kind,
    state: 'raised',
    severity: watch.severity,
    summary: `${watch.nameOf(about)} ${watch.says(figures)}`,
    since,
    ...named(about),
    count: 1,
    figures,
    link: consoleLink(settings, watch.page(about)),
    incident,
  };
}

/** The event that stands for many conditions of a kind. */
export function manyRaisedEvent(
  watch: Watch,
  observations: readonly Observation[],
  incident: string,
  settings: LinkSettings,
): OperatorEvent {
  const count = observations.length;
  const names = observations.slice(0, MOST_NAMED).map(({ name, subject }) => name ?? subject);
  return {
    kind: watch.kind,
    state: 'raised',
    severity: watch.severity,
    summary: `${count} ${watch.plural}, among them ${names.slice(0, 3).join(', ')}.`,
    since: earliest(observations),
    subject: null,
    tenantId: null,
    name: null,
    count,
    figures: { count, names: names.join(', ') },
    link: consoleLink(settings, watch.pageOfMany),
    incident,
  };
}

/** The event that clears a condition. */
export function clearedEvent(watch: Watch, condition: Condition, settings: LinkSettings): OperatorEvent {
  const { subject, tenantId, name, since, incident } = condition;
  const isMany = subject === MANY;
  const about = { subject, tenantId, name };
  return {
    kind: watch.clearedKind ?? watch.kind,
    state: 'cleared',
    severity: 'info',
    summary: isMany
      ? `No more ${watch.plural} than are told one by one.`
      : `${watch.nameOf(about)} ${watch.saysCleared}`,
    since,
    ...(isMany ? { subject: null, tenantId: null, name: null } : named(about)),
    count: 1,
    figures: {},
    link: consoleLink(settings, isMany ? watch.pageOfMany : watch.page(about)),
    incident,
  };
}

function named({ subject, tenantId, name }: { subject: string; tenantId: string | null; name: string | null }) {
  return { subject: subject === '' ? null : subject, tenantId, name };
}

export const earliest = (observations: readonly Observation[]): string =>
  observations.reduce((first, { since }) => (since < first ? since : first), observations[0]?.since ?? '');
