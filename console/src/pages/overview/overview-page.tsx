import type { ReactNode } from 'react';
import { Page, Section } from '../../parts/page';
import { DestinationsInTrouble } from './destinations-in-trouble';
import { Figures } from './figures';
import { LatestActions } from './latest-actions';
import { TopGroups } from './top-groups';

/** What needs a person now. Each figure leads to the list behind it. */
export function OverviewPage(): ReactNode {
  return (
    <Page title="Overview">
      <Figures />
      <Section title="Dead letters by cause">
        <TopGroups />
      </Section>
      <Section title="Destinations that are not active">
        <DestinationsInTrouble />
      </Section>
      <Section title="What operators changed lately">
        <LatestActions />
      </Section>
    </Page>
  );
}
