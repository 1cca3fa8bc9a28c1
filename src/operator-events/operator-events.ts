import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import type { Db } from '../db/pool';
import { ChoreRecords } from '../db/retention/chore-records';
import { uuidV7 } from '../event/uuid-v7';
import { storeEvents } from '../ingest/store/store-batch.queries';
import { WakeUp } from '../redis/wake-up';
import { Loop } from '../runtime/loop';
import { forgetHeard } from '../silence/heard.queries';
import { eachInTurn } from '../runtime/loops/each-in-turn';
import { MANY, type Condition, type Observation, type WatchReading } from './condition';
import {
  deleteConditions,
  forgetRaises,
  insertConditions,
  keepFigures,
  markClearing,
  readConditions,
  recordRaises,
  type RaisedCondition,
} from './condition.queries';
import { decideConditions, FLAPPING_RAISES, type Change } from './decide-conditions';
import { forgetQuotaRefusals } from './intake-figures.queries';
import { preparedOperatorEvent, type OperatorEvent } from './operator-event';
import { clearedEvent, earliest, figuresOfMany, flappingEvent, manyRaisedEvent, raisedEvent } from './tell';
import { WATCHES, type Watch } from './watches';

const FORGET_EVERY_MS = 600_000;
/** Of one statement: a look is to be cheap, and a stop waits for it. */
const LOOK_TIMEOUT_MS = 5_000;

/**
 * Raises and clears operator events. Each kind of condition is looked at in a transaction of its own, under a lock of the
 * whole installation: it reads what is stored, decides, and stores the events together with the conditions. So each raise
 * and each clear is one event, whoever looks and whoever dies.
 */
@Injectable()
export class OperatorEvents implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Operator events');
  private readonly loop = new Loop('Operator events', () => this.lookRecorded());
  private readonly records: ChoreRecords;
  private forgotMs = -Infinity;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly wakeUp: WakeUp,
  ) {
    this.records = new ChoreRecords(pool);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /**
   * Looks at all conditions once, unless another session has the lock. Whoever takes it between two conditions goes on in the
   * place of this one, so one of several processes gets through.
   * @throws the first failure, after the other kinds have had their turn
   */
  async runOnce(): Promise<'done' | 'elsewhere'> {
    let isTaken = false as boolean;
    await eachInTurn(WATCHES, async (watch) => {
      if (isTaken) return;
      const stored = await underTransactionLock(this.pool, ADVISORY_LOCKS.operatorEvents, (db) => this.look(db, watch));
      if (stored === 'elsewhere') isTaken = true;
      else if (stored > 0) this.wakeUp.signal();
    });
    if (isTaken) return 'elsewhere';
    await forgetQuotaRefusals(this.pool);
    await forgetRaises(this.pool);
    if (performance.now() - this.forgotMs >= FORGET_EVERY_MS) {
      await underTransactionLock(this.pool, ADVISORY_LOCKS.operatorEvents, forgetHeard);
      this.forgotMs = performance.now();
    }
    return 'done';
  }

  /** Where operator events are switched off, the chore is done. It would be reported as overdue otherwise. */
  private async lookRecorded(): Promise<number> {
    await this.records.run(
      'operator-events',
      () => (this.settings.OPERATOR_EVENTS ? this.runOnce() : Promise.resolve('done' as const)),
      (end) => end,
    );
    return this.settings.OPERATOR_LOOK_EVERY_SECONDS * 1_000;
  }

  /** Returns the number of events that were stored. */
  private async look(db: Db, watch: Watch): Promise<number> {
    await db.query(`set local statement_timeout = ${LOOK_TIMEOUT_MS}`);
    const raised = await readConditions(db, watch.kind);
    const reading = await watch.read(db, this.settings, raised);
    const changes = decideConditions(raised, reading, this.settings.OPERATOR_CLEAR_AFTER_SECONDS);
    await keepFigures(db, watch.kind, newFiguresOf(raised, reading));
    if (changes.length === 0) return 0;
    const raises = await recordRaises(db, watch.kind, changes.flatMap(toldSubject));
    const { conditions, events } = this.carriedOut(watch, changes, raises);
    const subjectsOf = (...kinds: Change['kind'][]): string[] =>
      changes.flatMap((change) =>
        kinds.includes(change.kind) && 'condition' in change ? [change.condition.subject] : [],
      );
    await deleteConditions(db, watch.kind, subjectsOf('clear', 'leave'));
    await markClearing(db, watch.kind, subjectsOf('fade'), true);
    await markClearing(db, watch.kind, subjectsOf('hold'), false);
    await insertConditions(db, watch.kind, conditions);
    for (const event of events) this.log(event);
    if (watch.isOnlyLogged || events.length === 0) return 0;
    await storeEvents(db, events.map(preparedOperatorEvent));
    return events.length;
  }

  /**
   * Returns the conditions that begin, and the events that tell of those that begin and end.
   * @param raises how often what is told now was raised within an hour
   */
  private carriedOut(
    watch: Watch,
    changes: readonly Change[],
    raises: ReadonlyMap<string, number>,
  ): { conditions: RaisedCondition[]; events: OperatorEvent[] } {
    const conditions: RaisedCondition[] = [];
    const events: OperatorEvent[] = [];
    const begin = (condition: RaisedCondition, event: OperatorEvent): void => {
      conditions.push(condition);
      events.push(condition.isFlapping ? flappingEvent(event, this.settings.OPERATOR_CLEAR_AFTER_SECONDS) : event);
    };
    for (const change of changes) {
      const incident = uuidV7();
      const isFlapping = toldSubject(change).some((subject) => (raises.get(subject) ?? 0) >= FLAPPING_RAISES);
      const begun = { incident, isFlapping };
      if (change.kind === 'join') conditions.push(conditionOf(change.observation, { ...begun, state: 'joined' }));
      if (change.kind === 'clear') events.push(clearedEvent(watch, change.condition, this.settings));
      if (change.kind === 'raise') {
        const event = raisedEvent(watch, change.observation, incident, this.settings);
        begin(conditionOf(change.observation, { ...begun, state: 'raised' }), event);
      }
      if (change.kind !== 'raise-many') continue;
      const { observations } = change;
      const many = { subject: MANY, tenantId: null, name: null, since: earliest(observations) };
      begin(
        { ...many, ...begun, figures: figuresOfMany(observations), state: 'raised' },
        manyRaisedEvent(watch, observations, incident, this.settings),
      );
    }
    return { conditions, events };
  }

  private log({ kind, state, summary, incident, link }: OperatorEvent): void {
    const level = state === 'raised' ? 'warn' : 'log';
    this.logger[level]({ msg: 'operator-event', kind, state, summary, incident, link });
  }
}

/** Of the conditions that are told one by one, which are few. Where no figures were read, those from before are kept. */
function newFiguresOf(raised: readonly Condition[], { observations }: WatchReading): readonly Observation[] {
  const single = new Set(raised.filter(({ state }) => state === 'raised').map(({ subject }) => subject));
  return observations.filter(({ subject, figures }) => single.has(subject) && Object.keys(figures).length > 0);
}

/** The subject of an event that raises a condition, if the change gives one. */
function toldSubject(change: Change): string[] {
  if (change.kind === 'raise') return [change.observation.subject];
  return change.kind === 'raise-many' ? [MANY] : [];
}

function conditionOf(
  { subject, tenantId, name, since, figures }: Observation,
  begun: Pick<RaisedCondition, 'state' | 'incident' | 'isFlapping'>,
): RaisedCondition {
  return { subject, tenantId, name, since, figures, ...begun };
}
