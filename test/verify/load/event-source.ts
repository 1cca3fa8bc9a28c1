import { planEvent, type Form, type Identity, type PlannedEvent } from './planned-event';
import type { SeededRandom } from './random';
import type { Tenant } from './tenants';
import { planWebhookEvent } from './webhooks/webhook-event';

const REPEAT_SHARE = 0.2;
/** Only the latest events are repeated. */
const REMEMBERED = 200;

/** Plans the events of one client: mostly new ones, sometimes a recent one again. */
export class EventSource {
  private made = 0;
  private readonly remembered: PlannedEvent[] = [];

  constructor(
    private readonly random: SeededRandom,
    readonly tenant: Tenant,
    private readonly client: number,
  ) {}

  /** @param identities those that the request can carry */
  next(form: Form, identities: readonly Identity[]): PlannedEvent {
    const again = this.random.chance(REPEAT_SHARE) ? this.earlier(form, identities) : undefined;
    return again ?? this.fresh(form, this.random.pick(identities));
  }

  /** An event that was sent and answered before. */
  earlier(form: Form, identities: readonly Identity[]): PlannedEvent | undefined {
    const fitting = this.remembered.filter((event) => event.form === form && identities.includes(event.identity));
    return fitting.length > 0 ? this.random.pick(fitting) : undefined;
  }

  private fresh(form: Form, identity: Identity): PlannedEvent {
    const { tenant } = this;
    const n = this.made++;
    const of = { name: `${tenant}-${this.client}-${n}`, n, tenant, identity };
    const event =
      form === 'stripe' || form === 'list'
        ? planWebhookEvent(this.random, { ...of, form })
        : planEvent(this.random, { ...of, form });
    this.remembered.push(event);
    if (this.remembered.length > REMEMBERED) this.remembered.shift();
    return event;
  }
}
