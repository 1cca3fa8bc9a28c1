import { TestNameServer } from '../../support/name-server';
import { DESTINATIONS } from '../load/operator/destinations';

const RECEIVER = '127.0.0.1';

export const hostOf = (destination: string): string => `${destination}.verify.test`;

/** The name server of all destinations. It knows the address of each, but can keep silent about some. */
export class HostNames {
  private constructor(private readonly server: TestNameServer) {}

  static async start(): Promise<HostNames> {
    const names = new HostNames(await TestNameServer.start());
    names.speak();
    return names;
  }

  /** For DESTINATIONS_NAME_SERVERS. */
  get address(): string {
    return this.server.address;
  }

  /** Until `speak`, queries for the hosts of the destinations that are silenced get no answer. */
  silence(): void {
    for (const { name, silenced } of DESTINATIONS) if (silenced) this.server.names.set(hostOf(name), 'silent');
  }

  speak(): void {
    for (const { name } of DESTINATIONS) {
      this.server.names.set(hostOf(name), { addresses: [RECEIVER], ttlSeconds: 0 });
    }
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
