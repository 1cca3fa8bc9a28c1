import { CopyButton } from '../../parts/copy/copy-button';
import { Empty } from '../../parts/page';

/** Before the first event: how to send one. */
export function NoEvents() {
  const command = [
    `curl -sS ${location.origin}/v1/events -H 'X-Tenant-Id: demo' -H 'Content-Type: application/json' \\`,
    `  -d '{"eventType":"sale.completed","subject":"order-1","payload":{"amount":10.10}}'`,
  ].join('\n');
  return (
    <Empty>
      <p>
        There is no event yet. Send one, or fill a demo tenant with <code>npm run seed</code>:
      </p>
      <pre className="code">{command}</pre>
      <CopyButton text={command} label="Copy" />
    </Empty>
  );
}
