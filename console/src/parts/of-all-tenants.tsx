import type { ReactNode } from 'react';
import { useCaller } from '../session/caller';
import { Page } from './page';

/** A page that concerns all tenants. Who is bound to some is told so, and nothing is asked that would be refused. */
export function OfAllTenants({ title, children }: { title: string; children: ReactNode }) {
  if (useCaller().seesAll) return children;
  return (
    <Page title={title}>
      <p className="hint">This concerns all tenants, and you are bound to some. An operator of all tenants sees it.</p>
    </Page>
  );
}
