import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Metrics } from '../observability/metrics';
import { AddressGuard } from './address/address-guard';
import { FAILURE_WEIGHT, type Admission } from './circuit';
import type { Answer } from './delivery-client';
import type { SealedDestination } from './destination';
import { Line, type NotRendered, type WebhookMessage } from './line';
import { TransformProcess } from './render/transform-process';
import type { SecretBox } from './secrets/secret-box';
import { SecretKey } from './secrets/secret-key';
import { testDelivery, type TestedDelivery } from './test-delivery';

/** How a delivery ended; `held` when it could not start and should be tried again after `afterMs`. */
export type DeliveryResult =
  | Answer
  | NotRendered
  | { kind: 'held'; reason: 'CIRCUIT_OPEN' | 'DESTINATION_BUSY'; message: string; afterMs: number };

/** Events per second that all failing destinations together may hold back; each destination gets its share. */
const HELD_PER_SECOND = 200;
/** Events per open period that check whether the circuit is still open: the longer the period, the fewer per second. */
const TURNS_WHILE_OPEN = 2_000;

/** Failures that do not tell whether the receiver is alive. */
const TELLS_NOTHING: ReadonlySet<string> = new Set(['ADDRESS_REFUSED', 'AUTH_FAILED', 'TRANSFORM_FAILED']);

/** Delivers to destinations. Each has its own circuit and slots, so that no destination delays another. */
@Injectable()
export class Courier implements OnApplicationShutdown {
  private readonly logger = new Logger('Destinations');
  /** By destination id. The limit on destinations bounds the size; `forget` drops destinations that are gone. */
  private readonly lines = new Map<string, Line>();
  private readonly open = new Set<Line>();

  constructor(
    private readonly guard: AddressGuard,
    private readonly key: SecretKey,
    private readonly metrics: Metrics,
    private readonly transforms: TransformProcess,
  ) {}

  /** @throws UnopenedSecretError */
  async deliver(destination: SealedDestination, message: WebhookMessage, signal: AbortSignal): Promise<DeliveryResult> {
    const line = this.lineOf(destination, await this.key.box());
    // From the same turn on: a line that is replaced closes its connections after the last delivery that has it.
    return line.use(() => this.deliverBy(line, message, signal));
  }

  private async deliverBy(line: Line, message: WebhookMessage, signal: AbortSignal): Promise<DeliveryResult> {
    if (line.circuit.refuses(Date.now())) return this.heldByCircuit(line);
    if (!(await line.inFlight.enter())) return this.heldForSlot(line);
    try {
      const admission = line.circuit.admit(Date.now());
      if (!admission) return this.heldByCircuit(line);
      const answer = await line.send(message, signal).catch((error: unknown) => {
        line.circuit.ended(admission);
        throw error;
      });
      if (answer.kind === 'held') line.circuit.ended(admission);
      else this.learn(line, admission, answer);
      return answer;
    } finally {
      line.inFlight.leave();
    }
  }

  /** Sends one request over its own connection, past circuit and slots. @throws UnopenedSecretError */
  async test(destination: SealedDestination, message: WebhookMessage): Promise<TestedDelivery> {
    return testDelivery(new Line(destination, this.guard, await this.key.box(), this.transforms), message);
  }

  /** Closes the lines of all destinations that are not in `remaining`. */
  forget(remaining: ReadonlySet<string>): void {
    for (const [id, line] of this.lines) {
      if (remaining.has(id)) continue;
      this.lines.delete(id);
      this.drop(line);
    }
  }

  onApplicationShutdown(): void {
    this.forget(new Set());
  }

  /** A changed destination gets a new line with a closed circuit, because the change may have fixed it. */
  private lineOf(destination: SealedDestination, box: SecretBox): Line {
    const known = this.lines.get(destination.id);
    if (known && known.destination.revision >= destination.revision) return known;
    const line = new Line(destination, this.guard, box, this.transforms);
    this.lines.set(destination.id, line);
    if (known) this.drop(known);
    return line;
  }

  private drop(line: Line): void {
    this.open.delete(line);
    this.metrics.destinationsOpenCircuits.set(this.open.size);
    line
      .close()
      .catch((error: unknown) =>
        this.logger.debug({ msg: 'could not close the connections of a destination', err: error }),
      );
  }

  private learn(line: Line, admission: Admission, answer: Answer): void {
    const wasOpen = line.circuit.isOpen;
    if (answer.kind === 'failed' && TELLS_NOTHING.has(answer.reason)) line.circuit.ended(admission);
    else if (isAlive(answer)) line.circuit.succeeded();
    else {
      const timedOut = answer.kind === 'failed' && answer.reason === 'TIMEOUT';
      line.circuit.failed(admission, timedOut ? FAILURE_WEIGHT.timeout : FAILURE_WEIGHT.quick, Date.now());
    }
    this.metrics.destinationDeliveries.inc({ result: resultOf(answer) });
    const { isOpen } = line.circuit;
    if (isOpen === wasOpen || this.lines.get(line.destination.id) !== line) return;
    if (isOpen) this.open.add(line);
    else {
      this.open.delete(line);
      line.pace.reset();
    }
    this.metrics.destinationsOpenCircuits.set(this.open.size);
    this.logger.warn({ msg: `circuit ${isOpen ? 'open' : 'closed'}`, destinationId: line.destination.id });
  }

  private heldByCircuit(line: Line): DeliveryResult {
    const { circuit, pace, destination } = line;
    const intervalMs = Math.max((1_000 / HELD_PER_SECOND) * this.open.size, circuit.lastOpenMs / TURNS_WHILE_OPEN);
    const afterMs = pace.waitMs(Date.now(), circuit.nextProbeMs, intervalMs);
    const message = `destination ${destination.id} is failing; deliveries wait until it responds again`;
    return { kind: 'held', reason: 'CIRCUIT_OPEN', message, afterMs };
  }

  private heldForSlot(line: Line): DeliveryResult {
    const afterMs = line.pace.waitMs(Date.now(), 0, line.msPerDelivery);
    const message = `destination ${line.destination.id} has ${line.destination.maxInFlight} deliveries in flight`;
    return { kind: 'held', reason: 'DESTINATION_BUSY', message, afterMs };
  }
}

/** Returns true when the receiver responded, and with no status that says "not now". */
function isAlive(answer: Answer): boolean {
  if (answer.kind === 'failed') return false;
  return answer.status < 500 && ![408, 425, 429].includes(answer.status);
}

const resultOf = (answer: Answer): string =>
  answer.kind === 'failed' ? answer.reason.toLowerCase() : `${Math.floor(answer.status / 100)}xx`;
