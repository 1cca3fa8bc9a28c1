import { useQueryClient } from '@tanstack/react-query';
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty, Page } from '../parts/page';
import { Fault } from '../parts/fault';

export function NoSuchPage(): ReactNode {
  return (
    <Page title="No such page">
      <Empty>
        <p>The console has no page at this address.</p>
        <p>
          <Link to="/">Overview</Link>
        </p>
      </Empty>
    </Page>
  );
}

/** An error of the console itself. */
export function BrokenPage({ error, reset }: ErrorComponentProps): ReactNode {
  const client = useQueryClient();
  /** What was read may be what the page broke on, so it is read again. */
  function tryAgain(): void {
    void client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'whoami' });
    reset();
  }
  return (
    <Page title="This page broke">
      <p>The console has a fault. Nothing was changed by it. Please report what it says.</p>
      <Fault error={error} onRetry={tryAgain} />
    </Page>
  );
}
