import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { AttemptSettler } from '../../src/deliveries/attempt-settler';
import { Deliveries } from '../../src/deliveries/deliveries';
import { DeliveryClaims } from '../../src/deliveries/delivery-claims';
import { DeliveryLines } from '../../src/deliveries/delivery-lines';
import { DeliveryLoops } from '../../src/deliveries/delivery-loops';
import { DeliveryReport } from '../../src/deliveries/delivery-report';
import { DeliverySweep } from '../../src/deliveries/delivery-sweep';
import { DisableDestinations } from '../../src/deliveries/disable-destinations';
import { Dispatcher } from '../../src/deliveries/dispatcher';
import { Transmitter } from '../../src/deliveries/transmitter';
import { WorkerShares } from '../../src/deliveries/worker-shares';
import { inTransaction } from '../../src/db/pool';
import type { DeliveryLease } from '../../src/delivery-state/delivery';
import { turnSettled } from '../../src/delivery-state/order/turn-keys';
import { recordDeliveries } from '../../src/delivery-state/record-deliveries.queries';
import { AddressGuard } from '../../src/destinations/address/address-guard';
import { resolveBySystem } from '../../src/destinations/names/resolve-names';
import { DestinationRegistry } from '../../src/destinations/destination-registry';
import { TransformProcess } from '../../src/destinations/render/transform-process';
import { SecretKey } from '../../src/destinations/secrets/secret-key';
import { Senders } from '../../src/destinations/senders';
import type { Event } from '../../src/event/event';
import { uuidV7 } from '../../src/event/uuid-v7';
import { NoInstallation, type Installation } from '../../src/integrity/installation';
import { Metrics } from '../../src/observability/metrics';
import { ProxyHealth } from '../../src/observability/proxy-health';
import { testSettings } from './app';
import { givenReceiver, type GivenReceiver } from './queued-deliveries';
import { delivered } from './rows';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

/** What a worker process has of deliveries, without the rest of it. */
export class DeliveryEngine {
  readonly metrics = new Metrics();
  readonly deliveries: Deliveries;
  readonly disable: DisableDestinations;
  readonly report: DeliveryReport;
  private readonly key: SecretKey;
  private readonly registry: DestinationRegistry;

  constructor(
    private readonly pool: Pool,
    env: Record<string, string> = {},
    installation: Installation = new NoInstallation(),
  ) {
    Logger.overrideLogger(false);
    const settings = testSettings({ DESTINATIONS_ALLOW_PRIVATE: 'true', RETRY_JITTER: '0', ...env });
    this.key = new SecretKey(settings, pool);
    const registry = (this.registry = new DestinationRegistry(pool));
    const proxy = new ProxyHealth();
    const transmitter = new Transmitter(
      new Senders(new AddressGuard(settings, resolveBySystem, proxy), this.key, new TransformProcess(settings)),
    );
    this.report = new DeliveryReport(pool, this.metrics);
    const settler = new AttemptSettler(pool, this.report);
    this.disable = new DisableDestinations(settings, pool, registry, proxy);
    const dispatcher = new Dispatcher(settings, transmitter, settler, this.report, this.disable);
    const lines = new DeliveryLines(new WorkerShares(pool));
    const claims = new DeliveryClaims(pool, registry, lines, dispatcher, installation);
    const sweep = new DeliverySweep(pool, registry, lines, transmitter);
    const loops = new DeliveryLoops(lines, claims, sweep, this.report, this.disable);
    this.deliveries = new Deliveries(registry, lines, dispatcher, claims, loops, pool);
  }

  start(): this {
    this.deliveries.onApplicationBootstrap();
    return this;
  }

  stop(): Promise<void> {
    return this.deliveries.stop();
  }

  /** Registers a destination whose secret can be opened. */
  async destination(receiver: GivenReceiver): Promise<string> {
    const id = uuidV7();
    const secret = (await this.key.box()).seal(SECRET, id);
    await givenReceiver(this.pool, { id, secret, ...receiver });
    this.registry.invalidate();
    return id;
  }

  /** Plans, records and hands over the deliveries of events, as a settle transaction does. */
  async settle(
    events: readonly Event[],
    { commits = true, leasedAgoMs = 0, generation = 1 } = {},
  ): Promise<DeliveryLease> {
    const dispatched = events.map((event) => delivered(event, { generation }));
    const planned = await this.deliveries.plan(dispatched);
    const made = this.deliveries.newLease();
    const lease = { ...made, sinceMs: made.sinceMs - leasedAgoMs };
    const ordered = dispatched.filter(({ tenantId }) => this.deliveries.keepsOrder(tenantId)).map(({ id }) => id);
    let unparked: string[] = [];
    const recorded = await inTransaction(
      this.pool,
      async (db) => {
        const rows = await recordDeliveries(db, planned, lease);
        if (ordered.length > 0) ({ unparked } = await turnSettled(db, ordered, [], planned, rows));
        return rows;
      },
      () => commits,
    );
    if (!commits) this.deliveries.abandoned(planned);
    else {
      const byId = new Map(dispatched.map((event) => [event.id, event]));
      this.deliveries.recorded(planned, recorded, byId, lease, unparked);
    }
    return lease;
  }
}
