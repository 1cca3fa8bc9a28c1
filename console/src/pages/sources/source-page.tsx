import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schema } from '../../api/endpoints';
import { providersQuery, sourceQuery } from '../../api/queries';
import { CopyCurl } from '../../parts/copy/copy-curl';
import { Facts } from '../../parts/texts/facts';
import { Instant } from '../../parts/texts/instant';
import { Page, Section } from '../../parts/page';
import { Pending } from '../../parts/pending';
import { Text } from '../../parts/texts/text';
import { activeText, expectedText, learnedText } from '../silence/silence-words';
import { SetupSteps } from './set-up/setup-steps';
import { SourceActions } from './source-actions';
import { SourceMapping } from './source-mapping';
import { SourceRequests } from './source-requests';
import { SourceStatus } from './source-status';

const route = getRouteApi('/sources/$sourceId');

/** One source: how its producer is set up, what came lately and what became of it, and how it is mapped. */
export function SourcePage(): ReactNode {
  const { sourceId } = route.useParams();
  const { data: source, error, refetch } = useQuery(sourceQuery(sourceId));
  const providers = useQuery(providersQuery);
  if (!source) {
    return (
      <Page title="Source">
        <Pending error={error} refetch={refetch} />
      </Page>
    );
  }
  const provider = providers.data?.sourceProviders.find(({ id }) => id === source.provider);
  return (
    <Page title={source.name} actions={<SourceActions source={source} />}>
      <p className="lead">
        <SourceStatus source={source} /> {standing(source)}
      </p>
      <Section title="Set-up">
        {provider ? <SetupSteps {...{ source, provider }} /> : <Pending {...providers} />}
      </Section>
      <Section
        title="Last requests"
        actions={<CopyCurl method="GET" path={`/v1/admin/sources/${source.id}/requests`} />}
      >
        <SourceRequests source={source} />
      </Section>
      <Section title="Mapping">{provider && <SourceMapping {...{ source, provider }} />}</Section>
      <Section title="Settings">
        <SettingFacts source={source} />
      </Section>
    </Page>
  );
}

function standing({ status, needsSecret }: Schema<'SourceResponse'>): string {
  if (status === 'paused') return 'Requests are answered with 503, so that the producer sends them again later.';
  if (needsSecret) return 'Requests are answered with 503 until the source has its secret.';
  return 'Requests are verified, mapped and stored.';
}

function SettingFacts({ source }: { source: Schema<'SourceResponse'> }) {
  const { tenantId, verification, answers, accept } = source;
  return (
    <Facts
      facts={{
        Tenant: (
          <Link to="/sources" search={{ tenantId }}>
            {tenantId}
          </Link>
        ),
        Provider: source.provider,
        'Own name (uid)': source.uid !== null && <Text>{source.uid}</Text>,
        Verification: verification && <code className="break">{JSON.stringify(verification)}</code>,
        Answers: Object.keys(answers).length > 0 && <code className="break">{JSON.stringify(answers)}</code>,
        Filter: accept && <code className="break">{JSON.stringify(accept)}</code>,
        'Expected at least every': expectedText(source),
        'Active hours': activeText(source),
        'Usual gaps': learnedText(source),
        Events: (
          <Link to="/events" search={{ sourceId: source.id }}>
            All events of this source
          </Link>
        ),
        Rejections: (
          <Link to="/rejections" search={{ sourceId: source.id }}>
            All rejections of this source
          </Link>
        ),
        Changed: <Instant at={source.updatedAt} />,
        Id: <code>{source.id}</code>,
      }}
    />
  );
}
