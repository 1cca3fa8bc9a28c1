import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Page, Section } from '../../parts/page';
import { Conditions } from './conditions';
import { DestinationsInTrouble } from './destinations-in-trouble';
import { OverviewFigures } from './figures';
import { LastHour } from './last-hour';
import { LatestActions } from './latest-actions';
import { SourcesInTrouble } from './sources-in-trouble';
import { TopGroups } from './top-groups';

/** What needs a person now. Each figure leads to the list behind it. */
export function OverviewPage(): ReactNode {
  return (
    <Page title="Overview">
      <Section title="What is wrong now">
        <Conditions />
      </Section>
      <OverviewFigures />
      <Section title="The last hour">
        <LastHour />
      </Section>
      <Section title="Dead letters by cause">
        <TopGroups />
      </Section>
      <Section title="Destinations that are not active">
        <DestinationsInTrouble />
      </Section>
      <Section title="Sources in trouble">
        <SourcesInTrouble />
      </Section>
      <Section title="What operators changed lately" actions={<Link to="/audit">All of it</Link>}>
        <LatestActions />
      </Section>
    </Page>
  );
}
