import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { healthQuery, readinessQuery } from '../../api/operations-queries';
import { countOf, formatCount } from '../../format/numbers';
import { formatDuration } from '../../format/times';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { Page, Section } from '../../parts/page';
import { OfAllTenants } from '../../parts/of-all-tenants';
import { Pending } from '../../parts/pending';
import { StatusBadge } from '../../parts/texts/status-badge';
import { numeric, Table } from '../../parts/lists/table';
import { Text } from '../../parts/texts/text';

type Health = Schema<'InstallationHealthResponse'>;

/** Whether the dependencies work, and what would be wrong with the installation. */
export function HealthPage(): ReactNode {
  return (
    <OfAllTenants title="Health">
      <AllHealth />
    </OfAllTenants>
  );
}

function AllHealth() {
  const readiness = useQuery(readinessQuery);
  const health = useQuery(healthQuery);
  return (
    <Page title="Health" actions={<CopyCurl method="GET" path="/v1/admin/health" />}>
      <Section title="Dependencies of the process that responds">
        {readiness.data ? <Dependencies readiness={readiness.data} /> : <Pending {...readiness} />}
      </Section>
      {health.data ? (
        <Installation health={health.data} />
      ) : (
        <Section title="Installation">
          <Pending {...health} />
        </Section>
      )}
    </Page>
  );
}

function Dependencies({ readiness: { status, role, checks } }: { readiness: Schema<'ReadinessResponse'> }) {
  return (
    <>
      <p className="lead">
        <StatusBadge status={status} /> role {role}
      </p>
      <Table columns={['Dependency', 'Status', 'What is wrong']}>
        {Object.entries(checks).map(([name, check]) => (
          <tr key={name}>
            <td>
              {name} {check.embedded && <span className="hint">embedded</span>}
            </td>
            <td>
              <StatusBadge status={check.status} />
            </td>
            <td className="error-cell">{check.message !== undefined && <Text>{check.message}</Text>}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function Installation({ health }: { health: Health }) {
  const { version, nodeVersion, postgresVersion, connections, maxConnections, partitionsAhead } = health;
  return (
    <>
      <Section title="What npm run doctor says about the database">
        <Findings findings={health.findings} />
        <p className="hint">
          Run <code>npm run doctor</code> on a machine of StreamForge for the rest: the settings, the broker, Redis and
          the audit trail.
        </p>
      </Section>
      <Section title="Versions and room">
        <Facts
          facts={{
            StreamForge: version,
            'Node.js': nodeVersion,
            PostgreSQL: postgresVersion,
            Connections: `${formatCount(connections)} of ${formatCount(maxConnections)}`,
            'Partitions ahead': countOf(partitionsAhead, 'day'),
          }}
        />
      </Section>
      <Section title="Chores">
        <Chores chores={health.chores} />
      </Section>
    </>
  );
}

function Findings({ findings }: { findings: Health['findings'] }) {
  return (
    <Table columns={['Severity', 'What', 'Finding']}>
      {findings.map(({ what, severity, sentence }) => (
        <tr key={`${what} ${sentence}`}>
          <td>
            <StatusBadge status={severity} />
          </td>
          <td>{what}</td>
          <td className="sentence">
            <Text>{sentence}</Text>
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** What publishers do for the whole installation. */
function Chores({ chores }: { chores: Health['chores'] }) {
  if (chores.length === 0) return <p className="hint">No publisher has run yet. Start one.</p>;
  return (
    <Table columns={['Chore', 'Status', numeric('Last success'), 'Remark']}>
      {chores.map(({ name, ageSeconds, putOffSeconds, errorCode, overdue }) => (
        <tr key={name}>
          <td>{name}</td>
          <td>
            <StatusBadge status={overdue ? 'overdue' : 'ok'} />
          </td>
          <td className="number nowrap">{formatDuration(ageSeconds * 1_000)} ago</td>
          <td>
            {putOffSeconds !== null && `waits for locks for ${formatDuration(putOffSeconds * 1_000)} `}
            {errorCode !== null && `the last run failed with SQLSTATE ${errorCode}`}
          </td>
        </tr>
      ))}
    </Table>
  );
}
