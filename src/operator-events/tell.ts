import type { Settings } from '../config/settings';
import { SEVERITY_OF, type Severity } from '../destinations/operator/severity';
import { MANY, type Condition, type Figures, type Observation } from './condition';
import type { ListedCondition } from './condition.queries';
import { consoleLink } from './console-link';
import type { OperatorEvent } from './operator-event';
import { stableSeconds } from './decide-conditions';
import { minutes, WATCHES, type Watch } from './watches';

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
    severity: SEVERITY_OF[watch.kind],
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
  return {
    kind: watch.kind,
    state: 'raised',
    severity: SEVERITY_OF[watch.kind],
    summary: `${count} ${watch.plural}, among them ${namesOf(observations).slice(0, 3).join(', ')}.`,
    since: earliest(observations),
    subject: null,
    tenantId: null,
    name: null,
    count,
    figures: figuresOfMany(observations),
    link: consoleLink(settings, watch.pageOfMany),
    incident,
  };
}

/** The event that raises a condition that comes and goes. */
export function flappingEvent(event: OperatorEvent, clearAfterSeconds: number): OperatorEvent {
  const over = minutes(stableSeconds(clearAfterSeconds));
  return {
    ...event,
    flapping: true,
    summary: `${event.summary} It comes and goes, so it is told again when it has been over for ${over}.`,
  };
}

/** The event that clears a condition. */
export function clearedEvent(watch: Watch, condition: Condition, settings: LinkSettings): OperatorEvent {
  const { subject, tenantId, name, since, incident, isFlapping } = condition;
  const isMany = subject === MANY;
  const about = { subject, tenantId, name };
  return {
    kind: watch.clearedKind ?? watch.kind,
    state: 'cleared',
    severity: 'info',
    summary: isMany ? saysMany(watch, 0) : `${watch.nameOf(about)} ${watch.saysCleared}`,
    since,
    ...(isMany ? { subject: null, tenantId: null, name: null } : named(about)),
    count: 1,
    ...(isFlapping ? { flapping: true } : {}),
    figures: {},
    link: consoleLink(settings, isMany ? watch.pageOfMany : watch.page(about)),
    incident,
  };
}

/** None: what is flapping is held when the last of them is over. */
const saysMany = ({ plural }: Watch, count: number): string =>
  count === 0 ? `No more ${plural} than are told one by one.` : `${count} ${plural}.`;

function named({ subject, tenantId, name }: { subject: string; tenantId: string | null; name: string | null }) {
  return { subject: subject === '' ? null : subject, tenantId, name };
}

export const earliest = (observations: readonly Observation[]): string =>
  observations.reduce((first, { since }) => (since < first ? since : first), observations[0]?.since ?? '');

const namesOf = (observations: readonly Observation[]): string[] =>
  observations.slice(0, MOST_NAMED).map(({ name, subject }) => name ?? subject);

export const figuresOfMany = (observations: readonly Observation[]): Figures => ({
  count: observations.length,
  names: namesOf(observations).join(', '),
});

/** A raised condition as the console and the API show it. */
export interface ShownCondition extends Omit<ListedCondition, 'subject'> {
  severity: Severity;
  summary: string;
  subject: string | null;
  link: string;
  /** The page of the console, without the address of the console. */
  page: string;
}

/** Leaves out conditions of kinds that this build does not know. */
export function shownConditions(listed: readonly ListedCondition[], settings: LinkSettings): ShownCondition[] {
  return listed.flatMap((condition) => {
    const watch = WATCHES.find(({ kind }) => kind === condition.kind);
    return watch ? [shownBy(watch, condition, settings)] : [];
  });
}

function shownBy(watch: Watch, condition: ListedCondition, settings: LinkSettings): ShownCondition {
  const { subject, count, figures } = condition;
  const isMany = subject === MANY;
  const ofOne =
    figures === null
      ? `${watch.nameOf(condition)}: ${watch.kind}`
      : `${watch.nameOf(condition)} ${watch.says(figures)}`;
  const page = isMany ? watch.pageOfMany : watch.page(condition);
  return {
    ...condition,
    subject: isMany || subject === '' ? null : subject,
    severity: SEVERITY_OF[watch.kind],
    summary: isMany ? saysMany(watch, count) : ofOne,
    link: consoleLink(settings, page),
    page,
  };
}
