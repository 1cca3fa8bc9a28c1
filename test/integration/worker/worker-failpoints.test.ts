import type { Consumer, ReceivedMessage, QueueName } from '../../../src/broker/broker';
import { MemoryBroker } from '../../../src/broker/memory-broker';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import type { TransactionalCall } from '../../../src/worker/handler';
import { eventually } from '../../support/eventually';
import { recordingEffects, transactional } from '../../support/handlers';
import { attemptRows, countRows, givenEvent, stateRow } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';
import { publishPending, startWorker, type TestWorker } from '../../support/worker';

/** The connection is lost right before an ack, as often as it is told to: the broker delivers again. */
class ForgetfulBroker extends MemoryBroker {
  acksToLose = 0;
  lost = 0;
  acked = 0;

  override consume(name: QueueName, prefetch: number, onMessage: (message: ReceivedMessage) => void): Consumer {
    const consumer = super.consume(name, prefetch, onMessage);
    return {
      ack: (messages) => {
        if (this.acksToLose > 0) {
          this.acksToLose -= 1;
          this.lost += 1;
          consumer.requeue(messages);
        } else {
          this.acked += messages.length;
          consumer.ack(messages);
        }
      },
      requeue: (messages) => consumer.requeue(messages),
      park: (messages) => consumer.park(messages),
      cancel: () => consumer.cancel(),
      close: () => consumer.close(),
    };
  }
}

describe('a worker that loses a connection', () => {
  const database = new WorkerDatabase();
  let broker: ForgetfulBroker;
  let worker: TestWorker;
  /** What the handler does after its effect. */
  let afterEffect: (call: TransactionalCall) => Promise<unknown>;
  beforeEach(async () => {
    afterEffect = () => Promise.resolve();
    broker = new ForgetfulBroker();
    const handler = transactional('effect', ['*'], async (events, call) => {
      await recordingEffects('effect')(events, call);
      await afterEffect(call);
    });
    worker = startWorker(database.pool, broker, [handler], { RETRY_BACKOFF_MS: '60000', RETRY_JITTER: '0' });
  });
  afterEach(async () => {
    await worker.stop();
    await broker.close();
  });

  const effects = () => countRows(database.pool, 'effects');

  it('I5, I7: does the work again when the connection is lost before its commit, with one effect and one attempt', async () => {
    const event = await givenEvent(database.pool);
    let runs = 0;
    afterEffect = async ({ db }) => {
      if (++runs === 1) await db.query('select pg_terminate_backend(pg_backend_pid())');
    };
    await publishPending(database.pool, broker);
    await eventually(() => expect(broker.acked).toBe(1));
    expect(runs).toBe(2);
    await expect(effects()).resolves.toBe(1);
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS', attemptNumber: 1 }]);
  });

  it('I5, I7: does nothing when an event comes again that was committed and not acked', async () => {
    const event = await givenEvent(database.pool);
    broker.acksToLose = 2;
    await publishPending(database.pool, broker);
    await eventually(() => expect(broker.acked).toBe(1));
    expect(broker.lost).toBe(2);
    await expect(effects()).resolves.toBe(1);
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS', attemptNumber: 1 }]);
    await expect(countRows(database.pool, 'crash_trials')).resolves.toBe(0);
  });

  it('I11, I13: loses no retry between the commit of a failure and the ack, and the redelivered message is no attempt', async () => {
    const event = await givenEvent(database.pool);
    broker.acksToLose = 2;
    afterEffect = () => Promise.reject(new Error('it broke'));
    await publishPending(database.pool, broker);
    await eventually(() => expect(broker.acked).toBe(1));
    await expect(attemptRows(database.pool, event)).resolves.toMatchObject([{ status: 'RETRY', attemptNumber: 1 }]);
    await expect(stateRow(database.pool, event)).resolves.toMatchObject({
      status: 'RETRYING',
      dispatchNo: 2,
      attempts: 1,
    });
    await expect(countRows(database.pool, 'retry_schedule where dispatch_no = 2')).resolves.toBe(1);
    afterEffect = () => Promise.resolve();
    await database.pool.query('update retry_schedule set due_at = now()');
    await dispatchDueRetries(database.pool, 10);
    await publishPending(database.pool, broker);
    await eventually(() => expect(broker.acked).toBe(2));
    await expect(effects()).resolves.toBe(1);
    expect((await attemptRows(database.pool, event)).map(({ status }) => status)).toEqual(['RETRY', 'SUCCESS']);
  });

  it('I10: runs a retry that is due in a second while another waits ten minutes', async () => {
    const slow = await givenEvent(database.pool, { eventType: 'slow' });
    const quick = await givenEvent(database.pool, { eventType: 'quick' });
    const waiting = transactional('waiting', ['*'], async (events) => {
      if (events.every(({ dispatchNo }) => dispatchNo > 1)) return;
      return new Map(
        events.map(({ id, type }) => [
          id,
          { kind: 'retry', reasonCode: 'HTTP_429', afterMs: type === 'slow' ? 600_000 : 1_000 },
        ]),
      );
    });
    const other = new MemoryBroker();
    const patient = startWorker(database.pool, other, [waiting], { RETRY_BACKOFF_MS: '10', RETRY_JITTER: '0' });
    await publishPending(database.pool, other);
    await eventually(async () => {
      await dispatchDueRetries(database.pool, 10);
      await publishPending(database.pool, other);
      expect((await attemptRows(database.pool, quick)).map(({ status }) => status)).toEqual(['RETRY', 'SUCCESS']);
    });
    await expect(attemptRows(database.pool, slow)).resolves.toMatchObject([{ status: 'RETRY' }]);
    await patient.stop();
    await other.close();
  });
});
